// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/hardware_counters.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/host/msr_counters.h"

namespace plectl::host {
namespace {

constexpr std::string_view kPowerPmu = "/sys/bus/event_source/devices/power";
constexpr double kMicrojoulesPerJoule = 1e6;

Count ValueOf(const Result<PerfEvent>& event) {
  if (!event) return Count::Missing(event.error().message);
  const Result<PerfReading> reading = event->Read();
  if (!reading) return Count::Missing(reading.error().message);
  const std::string lost = LostBecause(*reading);
  return lost.empty() ? Count(reading->value) : Count::Missing(lost);
}

Count Sum(const Count& sum, const Count& more) {
  if (!sum.has_value()) return sum;
  if (!more.has_value()) return more;
  return sum.value() + more.value();
}

Result<PerfEvent> Enabled(Result<PerfEvent> event) {
  if (event) PLECTL_RETURN_IF_ERROR(event->Enable());
  return event;
}

Result<PerfEvent> OpenEnergy(const HostRoot& root, const std::string& part, int cpu) {
  PLECTL_ASSIGN_OR_RETURN(const std::string type,
                          root.ReadTrimmed(fmt::format("{}/type", kPowerPmu)));
  PLECTL_ASSIGN_OR_RETURN(const std::string config,
                          root.ReadTrimmed(fmt::format("{}/events/{}", kPowerPmu, part)));
  const auto type_number = ParseUint(type);
  const auto config_number = ParsePerfEventConfig(config);
  if (!type_number || *type_number > UINT32_MAX || !config_number) {
    return Environment(fmt::format("{} describes {} in a way not known", kPowerPmu, part));
  }
  return Enabled(PerfEvent::OfCpu(static_cast<uint32_t>(*type_number), *config_number, cpu));
}

}  // namespace

Result<double> MicrojoulesPerUnit(std::string_view scale_text) {
  const std::string_view text = Trim(scale_text);
  double joules = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), joules);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(joules) &&
      joules > 0) {
    return joules * kMicrojoulesPerJoule;
  }
  return Environment(fmt::format("the scale of a RAPL event is \"{}\"", text));
}

std::vector<int> ParseCpumask(std::string_view text) {
  constexpr uint64_t kCpusMax = 65'536;
  std::vector<int> cpus;
  for (const std::string_view range : Split(Trim(text), ',')) {
    const size_t dash = range.find('-');
    const auto first = ParseUint(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParseUint(range.substr(dash + 1));
    if (!first || !last || *last >= kCpusMax || *first > *last) return {};
    for (uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

Result<HardwareCounters> HardwareCounters::Open(const HostRoot& root) {
  HardwareCounters counters(root);
  PLECTL_ASSIGN_OR_RETURN(const CpuInfo cpu, CpuInfo::Read(root));
  counters.quantities_ = HardwareQuantities(cpu);
  return counters;
}

void HardwareCounters::ArmThread(pid_t tid) {
  std::vector<Counter>& counters = vcpus_.emplace_back();
  for (const HardwareQuantity& quantity : quantities_) {
    Counter counter{std::string(quantity.event.name),
                    Environment(std::string(quantity.missing_because))};
    if (quantity.missing_because.empty()) {
      counter.event = Enabled(PerfEvent::OfThread(quantity.event.type, quantity.event.config,
                                                  quantity.event.mode, tid));
    }
    counters.push_back(std::move(counter));
  }
}

// A package's counters are read on the CPU that cpumask names for it.
std::vector<HardwareCounters::Counter> HardwareCounters::EnergyOf(const std::string& part) const {
  std::vector<Counter> counters;
  const auto mask = root_.ReadTrimmed(fmt::format("{}/cpumask", kPowerPmu));
  if (!mask) {
    counters.push_back(
        {part, Environment("this CPU has no RAPL energy counters (perf's PMU power)")});
    return counters;
  }
  const auto scale = root_.ReadTrimmed(fmt::format("{}/events/{}.scale", kPowerPmu, part));
  const Result<double> uj_per_unit = scale ? MicrojoulesPerUnit(*scale) : Fail(scale.error());
  for (const int cpu : ParseCpumask(*mask)) {
    Result<PerfEvent> event =
        uj_per_unit ? OpenEnergy(root_, part, cpu) : Fail(uj_per_unit.error());
    counters.push_back({part, std::move(event), uj_per_unit.value_or(0)});
  }
  return counters;
}

void HardwareCounters::ArmEnergy() {
  for (const char* const part : {"energy-pkg", "energy-ram"}) {
    for (Counter& counter : EnergyOf(part)) energy_.push_back(std::move(counter));
  }
}

void HardwareCounters::Arm(std::span<const pid_t> tids) {
  vcpus_.clear();
  energy_.clear();
  for (const pid_t tid : tids) ArmThread(tid);
  ArmEnergy();
}

HardwareCounts HardwareCounters::Read() {
  HardwareCounts counts;
  for (const Counter& counter : energy_) {
    const Count units = ValueOf(counter.event);
    const Count uj = units.has_value()
                         ? Count(static_cast<uint64_t>(std::llround(
                               static_cast<double>(units.value()) * counter.uj_per_unit)))
                         : units;
    const auto [entry, is_new] = counts.energy_uj.emplace(counter.name, uj);
    if (!is_new) entry->second = Sum(entry->second, uj);
  }
  for (const std::vector<Counter>& of_vcpu : vcpus_) {
    auto& values = counts.vcpus.emplace_back();
    for (const Counter& counter : of_vcpu) values.emplace(counter.name, ValueOf(counter.event));
  }
  vcpus_.clear();
  energy_.clear();
  return counts;
}

}  // namespace plectl::host
