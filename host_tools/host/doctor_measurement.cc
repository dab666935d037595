// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of what makes measurements noisy or hosts incomparable.
#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"

namespace plectl::host {
namespace {

constexpr std::string_view kCpuFolder = "/sys/devices/system/cpu";

Finding LookAtSmt(const DoctorFacts& facts) {
  const auto active = facts.root.ReadTrimmed(fmt::format("{}/smt/active", kCpuFolder));
  if (!active) return Unknown(active.error().message);
  if (*active == "0") return Ok("off");
  if (*active == "1") return Ok("on: list only one thread of each core in a plan's cpus");
  return Unknown(fmt::format("smt/active holds \"{}\"", *active));
}

// "Mitigation: PTI" -> "Mitigation", "Not affected" as it is: how many vulnerabilities read so.
Finding LookAtMitigations(const DoctorFacts& facts) {
  const std::string folder = fmt::format("{}/vulnerabilities", kCpuFolder);
  const auto names = facts.root.List(folder);
  if (!names) return Unknown(names.error().message);
  std::map<std::string, int> counts = {{"Mitigation", 0}, {"Vulnerable", 0}};
  for (const std::string& name : *names) {
    const std::string text =
        facts.root.ReadTrimmed(fmt::format("{}/{}", folder, name)).value_or("");
    for (auto& [state, count] : counts) count += text.find(state) != std::string::npos ? 1 : 0;
  }
  return Ok(fmt::format("{} in force, {} left open, of {} vulnerabilities", counts["Mitigation"],
                        counts["Vulnerable"], names->size()));
}

// Of all frequency domains.
std::set<std::string> Governors(const HostRoot& root) {
  const std::string folder = fmt::format("{}/cpufreq", kCpuFolder);
  std::set<std::string> governors;
  for (const std::string& name : root.List(folder).value_or(std::vector<std::string>{})) {
    if (!name.starts_with("policy")) continue;
    const auto text = root.ReadTrimmed(fmt::format("{}/{}/scaling_governor", folder, name));
    if (text && !text->empty()) governors.insert(*text);
  }
  return governors;
}

Finding LookAtGovernor(const DoctorFacts& facts) {
  const std::set<std::string> governors = Governors(facts.root);
  if (governors.empty()) {
    return Unknown("the kernel does not scale the frequency: firmware or a hypervisor may");
  }
  const std::string seen = fmt::format("{}", fmt::join(governors, ", "));
  if (seen == "performance") return Ok(seen);
  return Warning(seen, "sudo cpupower frequency-set -g performance");
}

Finding LookAtTsc(const DoctorFacts& facts) {
  const auto source =
      facts.root.ReadTrimmed("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  if (!facts.cpu) return Unknown(facts.cpu.error().message);
  if (!facts.cpu->Field("flags")) return Unknown("/proc/cpuinfo has no flags");
  for (const std::string_view flag : {"constant_tsc", "nonstop_tsc"}) {
    if (!facts.HasFlag(flag)) {
      return Warning(fmt::format("no {} in the flags of /proc/cpuinfo", flag),
                     "measure on another host: here TSC cycles are no unit of time");
    }
  }
  if (!source) return Unknown(source.error().message);
  if (*source == "tsc") return Ok("constant_tsc, nonstop_tsc, clocksource tsc");
  return Warning(fmt::format("clocksource {}", *source),
                 "see dmesg for why the kernel does not take the TSC; in a VM this is usual");
}

// One of two files, of Intel's driver or any other's.
Finding LookAtTurbo(const DoctorFacts& facts) {
  const std::string folder(kCpuFolder);
  const auto no_turbo = facts.root.ReadTrimmed(folder + "/intel_pstate/no_turbo");
  const auto boost = facts.root.ReadTrimmed(folder + "/cpufreq/boost");
  if (IsTurboOff(facts.root)) return Ok("off");
  if (no_turbo.value_or("") == "0") {
    return Warning("on", "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo");
  }
  if (boost.value_or("") == "1") {
    return Warning("on", "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost");
  }
  return Unknown("the kernel does not say: firmware or a hypervisor may decide");
}

Finding LookAtIsolation(const DoctorFacts& facts) {
  const auto isolated = facts.root.ReadTrimmed(fmt::format("{}/isolated", kCpuFolder));
  if (!isolated) return Unknown(isolated.error().message);
  if (isolated->empty()) return Ok("no CPU is isolated");
  return Ok(fmt::format("CPUs {} are isolated: quiet ones for a plan's cpus", *isolated));
}

// "MemAvailable:    1234 kB" of /proc/meminfo.
std::optional<uint64_t> MeminfoKib(std::string_view text, std::string_view name) {
  const std::string_view size = LineAfter(text, name).value_or("");
  return ParseUint(size.substr(0, size.find(' ')));
}

// The share of the last minute in which something waited for memory: "some avg10=0.00 avg60=0.12"
// (Documentation/accounting/psi.rst).
std::string MemoryPressure(const HostRoot& root) {
  const std::string text = root.Read("/proc/pressure/memory").value_or("");
  const size_t begin = text.find("avg60=");
  if (!text.starts_with("some ") || begin == std::string::npos) return {};
  return text.substr(begin + 6, text.find(' ', begin) - begin - 6);
}

Finding LookAtMemory(const DoctorFacts& facts) {
  constexpr uint64_t kScarcePercent = 5;
  const auto text = facts.root.Read("/proc/meminfo");
  if (!text) return Unknown(text.error().message);
  const auto total = MeminfoKib(*text, "MemTotal:");
  const auto available = MeminfoKib(*text, "MemAvailable:");
  if (!total || !available || *total == 0) return Unknown("/proc/meminfo is not understood");
  const std::string pressure = MemoryPressure(facts.root);
  const std::string seen = fmt::format(
      "{} of {} MiB available{}", *available >> 10, *total >> 10,
      pressure.empty() ? "" : fmt::format(", {} % of the last minute waited for memory", pressure));
  const bool waits = !pressure.empty() && !pressure.starts_with("0.");
  if (!waits && *available >= *total / 100 * kScarcePercent) return Ok(seen);
  return Warning(seen,
                 "free memory before a sweep: reclaim takes CPU time and locks in the trials");
}

constexpr std::array kChecks = {
    Check{"smt", "spinning threads of one core slow each other: the PAUSE loop's period changes",
          LookAtSmt},
    Check{"mitigations",
          "they are part of the cost of each exit: compare only hosts that have alike",
          LookAtMitigations},
    Check{"governor",
          "windows are TSC cycles, a guest's loop is core cycles: their ratio must stay",
          LookAtGovernor},
    Check{"turbo", "the core's clock against the TSC decides how many PAUSEs fit into a window",
          LookAtTurbo},
    Check{"isolated_cpus", "on other CPUs the host's own work comes between the trials",
          LookAtIsolation},
    Check{"memory", "reclaim in a trial takes CPU time from the vCPUs, which looks like contention",
          LookAtMemory},
    Check{"tsc", "PLE counts its gap and window in TSC cycles, and so does plectl", LookAtTsc},
};

}  // namespace

std::span<const Check> MeasurementChecks() { return kChecks; }

}  // namespace plectl::host
