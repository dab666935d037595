// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_cpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/host/noise_text.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;

// The number of "cpu17", or nothing: "cpu" is the sum of all CPUs.
std::optional<uint64_t> CpuOf(std::string_view word, std::string_view prefix) {
  if (!word.starts_with(prefix)) return std::nullopt;
  return ParseUint(word.substr(prefix.size()));
}

bool IsMeasured(std::span<const int> cpus, uint64_t cpu) {
  return cpu <= INT32_MAX && std::ranges::binary_search(cpus, static_cast<int>(cpu));
}

// The numbers of a line, at most as many as the array has; how many there were.
template <size_t kMax>
size_t Numbers(std::string_view line, std::array<uint64_t, kMax>& numbers) {
  for (size_t i = 0; i < kMax; ++i) {
    const std::optional<uint64_t> number = ParseUint(NextWord(line));
    if (!number) return i;
    numbers[i] = *number;
  }
  return kMax;
}

// The measured CPUs' lines of a file, added up; missing unless each CPU had one.
class PerCpuSum {
 public:
  PerCpuSum(std::string_view file, std::span<const int> cpus) : file_(file), cpus_(cpus) {}

  void CountCpu() { ++seen_; }
  [[nodiscard]] Count Get(const CountSum& sum) const {
    if (seen_ != cpus_.size()) {
      return Count::Missing(
          fmt::format("{} has {} of {} measured CPUs", file_, seen_, cpus_.size()));
    }
    return sum.Get(fmt::format("measured CPU in {}", file_));
  }

 private:
  std::string_view file_;
  std::span<const int> cpus_;
  size_t seen_ = 0;
};

// Columns of a CPU's line in /proc/stat (proc(5)).
enum StatColumn : size_t { kIdle = 3, kIowait = 4, kIrq = 5, kSoftirq = 6, kSteal = 7 };

uint64_t Nanoseconds(uint64_t ticks, uint64_t ticks_per_s) {
  constexpr uint64_t kNsPerS = 1'000'000'000;
  const uint64_t ns_per_tick = kNsPerS / std::max<uint64_t>(ticks_per_s, 1);
  uint64_t ns = 0;
  return __builtin_mul_overflow(ticks, ns_per_tick, &ns) ? UINT64_MAX : ns;
}

enum class IrqClass { kTimer, kIpi, kTlb, kDevice, kOther };

// Timers and IPIs come with every trial: of the vCPUs' own slices, wake-ups, kicks and counters.
IrqClass ClassOf(std::string_view label, std::string_view description) {
  constexpr std::array<std::string_view, 6> kIpis = {"RES", "CAL", "IWI", "PIN", "NPI", "PIW"};
  if (label == "LOC") return IrqClass::kTimer;
  if (label == "TLB") return IrqClass::kTlb;
  if (std::ranges::find(kIpis, label) != kIpis.end()) return IrqClass::kIpi;
  if (!ParseUint(label)) return IrqClass::kOther;
  const std::string_view name = description.substr(description.find_last_of(" \t") + 1);
  return name == "timer" || name.starts_with("hpet") ? IrqClass::kTimer : IrqClass::kDevice;
}

Q QuantityOf(IrqClass irq_class) {
  switch (irq_class) {
    case IrqClass::kTimer:
      return Q::kTimerIrqs;
    case IrqClass::kIpi:
      return Q::kIpiIrqs;
    case IrqClass::kTlb:
      return Q::kTlbIrqs;
    case IrqClass::kDevice:
      return Q::kDeviceIrqs;
    case IrqClass::kOther:
      break;
  }
  return Q::kOtherIrqs;
}

constexpr std::array kIrqClasses = {IrqClass::kTimer, IrqClass::kIpi, IrqClass::kTlb,
                                    IrqClass::kDevice, IrqClass::kOther};

class InterruptsReader {
 public:
  InterruptsReader(std::string_view text, std::span<const int> cpus) : rows_(text) {
    std::string_view header = NextLine(rows_);
    for (std::string_view word = NextWord(header); !word.empty(); word = NextWord(header)) {
      const std::optional<uint64_t> cpu = CpuOf(word, "CPU");
      const bool measured = cpu && IsMeasured(cpus, *cpu);
      is_measured_.push_back(measured);
      if (measured) ++columns_;
    }
    complete_ = columns_ == cpus.size();
    for (CountSum& sum : sums_) sum.Add(uint64_t{0});  // no line of a class: none of it fired
  }

  void ReadAll() {
    while (complete_ && !rows_.empty()) ReadRow(NextLine(rows_));
  }

  void Fill(NoiseCounts& counts) const {
    for (const IrqClass irq_class : kIrqClasses) {
      const CountSum& sum = sums_[static_cast<size_t>(irq_class)];
      counts[QuantityOf(irq_class)] =
          !complete_        ? Count::Missing("/proc/interrupts has no column of a measured CPU")
          : rows_read_ == 0 ? Count::Missing("/proc/interrupts has no line with a number per CPU")
                            : sum.Get("a column of /proc/interrupts");
    }
  }

  [[nodiscard]] std::vector<NoiseIrq> TakeIrqs() { return std::move(irqs_); }

 private:
  void ReadRow(std::string_view row) {
    const size_t colon = row.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view label = Trim(row.substr(0, colon));
    row.remove_prefix(colon + 1);
    const std::optional<CountSum> fired = MeasuredSum(row);
    if (!fired) return;  // ERR and MIS are of no CPU
    ++rows_read_;
    const std::string_view description = Trim(row);
    const IrqClass irq_class = ClassOf(label, description);
    sums_[static_cast<size_t>(irq_class)].Add(*fired);
    const uint64_t count = fired->value().value_or(0);
    if (count == 0 || irq_class == IrqClass::kTimer || irq_class == IrqClass::kIpi) return;
    irqs_.emplace_back(NameOf(label, description, irq_class), count);
  }

  // Takes the numbers off `row`; nothing when there are fewer than columns.
  [[nodiscard]] std::optional<CountSum> MeasuredSum(std::string_view& row) const {
    CountSum sum;
    for (const bool measured : is_measured_) {
      const std::string_view word = NextWord(row);
      if (word.empty()) return std::nullopt;
      if (measured) sum.Add(word);
    }
    return sum;
  }

  // "24 nvme0q1": the last word of a device's line is the driver's name for it.
  static std::string NameOf(std::string_view label, std::string_view description,
                            IrqClass irq_class) {
    if (irq_class != IrqClass::kDevice || description.empty()) return std::string(label);
    return fmt::format("{} {}", label, description.substr(description.find_last_of(" \t") + 1));
  }

  std::string_view rows_;
  std::vector<bool> is_measured_;
  size_t columns_ = 0;
  bool complete_ = false;
  size_t rows_read_ = 0;
  std::array<CountSum, kIrqClasses.size()> sums_;
  std::vector<NoiseIrq> irqs_;
};

}  // namespace

Count ParseStat(std::string_view text, std::span<const int> cpus, uint64_t ticks_per_s,
                NoiseCounts& counts) {
  PerCpuSum per_cpu("/proc/stat", cpus);
  CountSum switches;
  CountSum idle;
  CountSum irq;
  CountSum softirq;
  CountSum steal;
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    const std::string_view key = NextWord(line);
    if (key == "ctxt") switches.Add(NextWord(line));
    const std::optional<uint64_t> cpu = CpuOf(key, "cpu");
    std::array<uint64_t, kSteal + 1> ticks{};
    if (!cpu || !IsMeasured(cpus, *cpu) || Numbers(line, ticks) != ticks.size()) continue;
    per_cpu.CountCpu();
    idle.Add(Nanoseconds(ticks[kIdle], ticks_per_s));
    idle.Add(Nanoseconds(ticks[kIowait], ticks_per_s));
    irq.Add(Nanoseconds(ticks[kIrq], ticks_per_s));
    softirq.Add(Nanoseconds(ticks[kSoftirq], ticks_per_s));
    steal.Add(Nanoseconds(ticks[kSteal], ticks_per_s));
  }
  counts[Q::kHostContextSwitches] = switches.Get("line ctxt of /proc/stat");
  counts[Q::kIrqNs] = per_cpu.Get(irq);
  counts[Q::kSoftirqNs] = per_cpu.Get(softirq);
  counts[Q::kStealNs] = per_cpu.Get(steal);
  return per_cpu.Get(idle);
}

std::vector<Count> ParseSchedstat(std::string_view text, std::span<const int> cpus,
                                  NoiseCounts& counts) {
  // The last three numbers of a CPU's line: run time, wait time, timeslices
  // (Documentation/scheduler/sched-stats.rst, unchanged in versions 15 to 17).
  constexpr size_t kRunTime = 6;
  constexpr size_t kTimeslices = 8;
  PerCpuSum per_cpu("/proc/schedstat", cpus);
  std::vector<Count> run(cpus.size(), Count::Missing("/proc/schedstat has no line of this CPU"));
  CountSum timeslices;
  bool known = false;
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    const std::string_view key = NextWord(line);
    if (key == "version") {
      const uint64_t version = ParseUint(NextWord(line)).value_or(0);
      known = version >= 15 && version <= 17;
    }
    const std::optional<uint64_t> cpu = CpuOf(key, "cpu");
    std::array<uint64_t, kTimeslices + 1> numbers{};
    if (!cpu || !IsMeasured(cpus, *cpu) || Numbers(line, numbers) != numbers.size()) continue;
    per_cpu.CountCpu();
    const auto place = std::ranges::lower_bound(cpus, static_cast<int>(*cpu));
    run[static_cast<size_t>(place - cpus.begin())] = numbers[kRunTime];
    timeslices.Add(numbers[kTimeslices]);
  }
  if (!known) {
    counts[Q::kTimeslices] = Count::Missing("/proc/schedstat has no version from 15 to 17");
    return std::vector<Count>(cpus.size(), counts[Q::kTimeslices]);
  }
  counts[Q::kTimeslices] = per_cpu.Get(timeslices);
  return run;
}

Count SumOf(std::span<const Count> counts) {
  CountSum sum;
  for (const Count& count : counts) {
    if (!count.has_value()) return count;
    sum.Add(count.value());
  }
  return sum.Get("measured CPU");
}

std::vector<NoiseIrq> ParseInterrupts(std::string_view text, std::span<const int> cpus,
                                      NoiseCounts& counts) {
  InterruptsReader reader(text, cpus);
  reader.ReadAll();
  reader.Fill(counts);
  return reader.TakeIrqs();
}

}  // namespace plectl::host
