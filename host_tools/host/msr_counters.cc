// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/msr_counters.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/host/noise_text.h"

namespace plectl::host {
namespace {

constexpr std::string_view kPmu = "/sys/bus/event_source/devices/msr";

Result<uint32_t> PmuType(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.ReadTrimmed(fmt::format("{}/type", kPmu)));
  const std::optional<uint64_t> type = ParseUint(text);
  if (type && *type <= UINT32_MAX) return static_cast<uint32_t>(*type);
  return Environment(fmt::format("read {}/type: \"{:.40}\" is not a PMU type", kPmu, text));
}

Result<uint64_t> EventConfig(const HostRoot& root, const std::string& event) {
  const std::string path = fmt::format("{}/events/{}", kPmu, event);
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.ReadTrimmed(path));
  if (const std::optional<uint64_t> config = ParsePerfEventConfig(text)) return *config;
  return Environment(fmt::format("read {}: \"{:.40}\" is not an event", path, text));
}

}  // namespace

std::optional<uint64_t> ParsePerfEventConfig(std::string_view text) {
  constexpr std::string_view kStart = "event=0x";
  if (!text.starts_with(kStart)) return std::nullopt;
  text.remove_prefix(kStart.size());
  uint64_t config = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, config, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return config;
}

MsrCounts MsrCounters::Read(std::span<const int> cpus) {
  return {Sum("aperf", cpus), Sum("mperf", cpus), Sum("smi", cpus)};
}

Count MsrCounters::Sum(const std::string& event, std::span<const int> cpus) {
  CountSum sum;
  for (const int cpu : cpus) {
    const Result<uint64_t> value = Read(event, cpu);
    if (!value) return Count::Missing(value.error().message);
    sum.Add(*value);
  }
  return sum.Get("measured CPU");
}

Result<uint64_t> MsrCounters::Read(const std::string& event, int cpu) {
  auto known = events_.find({event, cpu});
  if (known == events_.end()) {
    known = events_.emplace(std::pair(event, cpu), Open(event, cpu)).first;
  }
  if (!known->second) return Fail(known->second.error());
  PLECTL_ASSIGN_OR_RETURN(const PerfReading reading, known->second->Read());
  if (const std::string lost = LostBecause(reading); !lost.empty()) return Environment(lost);
  return reading.value;
}

Result<PerfEvent> MsrCounters::Open(const std::string& event, int cpu) const {
  PLECTL_ASSIGN_OR_RETURN(const uint64_t config, EventConfig(root_, event));
  PLECTL_ASSIGN_OR_RETURN(const uint32_t type, PmuType(root_));
  if (!root_.is_real()) return Environment("perf counters are the real host's only");
  PLECTL_ASSIGN_OR_RETURN(PerfEvent counter, PerfEvent::OfCpu(type, config, cpu));
  PLECTL_RETURN_IF_ERROR(counter.Enable());
  return counter;
}

}  // namespace plectl::host
