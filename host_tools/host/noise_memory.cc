// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_memory.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>

#include "host_tools/host/noise_text.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;

struct VmstatLine {
  std::string_view key;
  Q quantity;
};
constexpr std::array kVmstatLines = {
    VmstatLine{"pgscan_kswapd", Q::kPgscanKswapd},
    VmstatLine{"pgscan_direct", Q::kPgscanDirect},
    VmstatLine{"pgsteal_kswapd", Q::kPgstealKswapd},
    VmstatLine{"pgsteal_direct", Q::kPgstealDirect},
    VmstatLine{"allocstall", Q::kAllocstall},
    VmstatLine{"compact_stall", Q::kCompactStall},
    VmstatLine{"pswpin", Q::kPswpin},
    VmstatLine{"pswpout", Q::kPswpout},
    VmstatLine{"oom_kill", Q::kOomKill},
};
// One line for each type of zone: allocstall_normal, ...
constexpr std::string_view kPerZone = "allocstall_";

// What one zone says; sums over all of them.
struct ZoneLine {
  std::string_view key;
  Q start;
  Q end;
};
constexpr std::array kZoneLines = {
    ZoneLine{"free", Q::kFreePagesStart, Q::kFreePagesEnd},
    ZoneLine{"min", Q::kMinPages, Q::kMinPages},
    ZoneLine{"low", Q::kLowPages, Q::kLowPages},
    ZoneLine{"high", Q::kHighPages, Q::kHighPages},
    ZoneLine{"nr_zone_active_anon", Q::kActiveAnonPagesStart, Q::kActiveAnonPagesEnd},
    ZoneLine{"nr_zone_inactive_anon", Q::kInactiveAnonPagesStart, Q::kInactiveAnonPagesEnd},
    ZoneLine{"nr_zone_active_file", Q::kActiveFilePagesStart, Q::kActiveFilePagesEnd},
    ZoneLine{"nr_zone_inactive_file", Q::kInactiveFilePagesStart, Q::kInactiveFilePagesEnd},
};
constexpr size_t kFree = 0;
constexpr size_t kLow = 2;

using ZoneSums = std::array<CountSum, kZoneLines.size()>;

struct Zone {
  std::string_view name;
  ZoneSums sums;
  uint64_t managed_pages = 0;
};

class ZoneinfoReader {
 public:
  void ReadAll(std::string_view text) {
    while (!text.empty()) ReadLine(NextLine(text));
    EndZone();
  }

  void Fill(NoiseCounts& counts) const {
    for (size_t i = 0; i < kZoneLines.size(); ++i) {
      const Count count =
          totals_[i].Get(fmt::format("line {} of /proc/zoneinfo", kZoneLines[i].key));
      counts[kZoneLines[i].start] = counts[kZoneLines[i].end] = count;
    }
    counts[Q::kWorstFreePercentOfLow] =
        worst_percent_ ? Count(*worst_percent_)
                       : Count::Missing("no zone of /proc/zoneinfo has a low watermark");
  }

  [[nodiscard]] std::string worst_zone() const { return std::string(worst_zone_); }

 private:
  void ReadLine(std::string_view line) {
    if (line.starts_with("Node ")) {
      EndZone();
      zone_.name = line;
      return;
    }
    std::string_view key = NextWord(line);
    if (key == "pages") key = NextWord(line);  // "pages free 3808"
    if (key == "managed") {
      CountSum managed;
      managed.Add(NextWord(line));
      zone_.managed_pages = managed.value().value_or(0);
    }
    for (size_t i = 0; i < kZoneLines.size(); ++i) {
      if (key == kZoneLines[i].key) return zone_.sums[i].Add(NextWord(line));
    }
  }

  // Zones without memory have lines too, but no LRU lists.
  void EndZone() {
    if (zone_.managed_pages > 0) {
      for (size_t i = 0; i < kZoneLines.size(); ++i) totals_[i].Add(zone_.sums[i]);
      FindWorst();
    }
    zone_ = Zone();
  }

  void FindWorst() {
    const std::optional<uint64_t> free = zone_.sums[kFree].value();
    const uint64_t low = zone_.sums[kLow].value().value_or(0);
    uint64_t hundredfold = 0;
    if (!free || low == 0 || __builtin_mul_overflow(*free, uint64_t{100}, &hundredfold)) return;
    const uint64_t percent = hundredfold / low;
    if (worst_percent_ && *worst_percent_ <= percent) return;
    worst_percent_ = percent;
    worst_zone_ = zone_.name;
  }

  Zone zone_;
  ZoneSums totals_;
  std::optional<uint64_t> worst_percent_;
  std::string_view worst_zone_;
};

// "Node 0, zone    DMA32" as it is written, but with single blanks.
std::string WithSingleBlanks(std::string_view text) {
  std::string result;
  for (std::string_view word = NextWord(text); !word.empty(); word = NextWord(text)) {
    if (!result.empty()) result += ' ';
    result += word;
  }
  return result;
}

// The sum of the lines "KEY NUMBER" with these keys.
template <size_t kKeys>
CountSum SumOf(std::string_view text, const std::array<std::string_view, kKeys>& keys) {
  CountSum sum;
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    const std::string_view key = NextWord(line);
    for (const std::string_view wanted : keys) {
      if (key == wanted) sum.Add(NextWord(line));
    }
  }
  return sum;
}

}  // namespace

void ParseVmstat(std::string_view text, NoiseCounts& counts) {
  std::array<CountSum, kVmstatLines.size()> sums;
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    std::string_view key = NextWord(line);
    if (key.starts_with(kPerZone)) key = "allocstall";
    for (size_t i = 0; i < kVmstatLines.size(); ++i) {
      if (key == kVmstatLines[i].key) sums[i].Add(NextWord(line));
    }
  }
  for (size_t i = 0; i < kVmstatLines.size(); ++i) {
    counts[kVmstatLines[i].quantity] =
        sums[i].Get(fmt::format("line {} of /proc/vmstat", kVmstatLines[i].key));
  }
}

std::string ParseZoneinfo(std::string_view text, NoiseCounts& counts) {
  ZoneinfoReader reader;
  reader.ReadAll(text);
  reader.Fill(counts);
  return WithSingleBlanks(reader.worst_zone());
}

Count PressureTotalUs(std::string_view text, std::string_view line) {
  CountSum total;
  while (!text.empty()) {
    std::string_view rest = NextLine(text);
    if (NextWord(rest) != line) continue;
    constexpr std::string_view kTotal = "total=";
    for (std::string_view word = NextWord(rest); !word.empty(); word = NextWord(rest)) {
      if (word.starts_with(kTotal)) total.Add(word.substr(kTotal.size()));
    }
  }
  return total.Get(fmt::format("total= of the line {} of a pressure file", line));
}

Count CgroupPagesScanned(std::string_view memory_stat) {
  constexpr std::array<std::string_view, 2> kKeys = {"pgscan_kswapd", "pgscan_direct"};
  return SumOf(memory_stat, kKeys).Get("line pgscan_kswapd or pgscan_direct of memory.stat");
}

Count CgroupLimitEvents(std::string_view memory_events) {
  constexpr std::array<std::string_view, 2> kKeys = {"high", "max"};
  return SumOf(memory_events, kKeys).Get("line high or max of memory.events.local");
}

}  // namespace plectl::host
