// SPDX-License-Identifier: Apache-2.0
// The doctor's check of the core's clock against the TSC. PLE compares its gap and window in TSC
// cycles, while a PAUSE takes core cycles: with 140 of them and a gap of 128 the same host has PLE
// at a ratio of 1.2 and none at 0.83.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor_checks.h"
#include "host_tools/host/tsc_frequency.h"

namespace plectl::host {
namespace {

constexpr std::string_view kCpuFolder = "/sys/devices/system/cpu";
constexpr double kSteadyFactor = 1.1;  // at most so much between the slowest and the fastest

std::optional<double> PositiveNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number > 0) || number > 1e9) return std::nullopt;
  return number;
}

// Intel's model names end with the TSC's nominal frequency: "... CPU @ 3.40GHz".
std::optional<double> NominalKhz(const DoctorFacts& facts) {
  const std::string model = facts.cpu ? facts.cpu->Field("model name").value_or("") : "";
  const size_t at = model.rfind("@ ");
  const size_t unit = model.rfind("GHz");
  if (at == std::string::npos || unit == std::string::npos || unit < at + 2) return std::nullopt;
  const auto ghz = PositiveNumber(std::string_view(model).substr(at + 2, unit - at - 2));
  return ghz ? std::optional(*ghz * 1e6) : std::nullopt;
}

// The clocks of one frequency domain in kHz.
struct Policy {
  std::optional<double> slowest;  // that the governor may choose
  std::optional<double> fastest;
  std::optional<double> base;  // without turbo
  std::optional<double> now;
  bool keeps_high = false;  // the governor is performance
};

Policy ReadPolicy(const HostRoot& root, const std::string& folder) {
  const auto khz = [&](std::string_view name) {
    return PositiveNumber(root.ReadTrimmed(fmt::format("{}/{}", folder, name)).value_or(""));
  };
  Policy policy;
  policy.slowest = khz("cpuinfo_min_freq");
  policy.fastest = khz("cpuinfo_max_freq");
  if (const auto least = khz("scaling_min_freq")) policy.slowest = least;
  if (const auto most = khz("scaling_max_freq")) {
    policy.fastest = std::min(policy.fastest.value_or(*most), *most);
  }
  policy.base = khz("base_frequency");
  policy.now = khz("scaling_cur_freq");
  policy.keeps_high =
      root.ReadTrimmed(fmt::format("{}/scaling_governor", folder)).value_or("") == "performance";
  return policy;
}

std::vector<Policy> ReadPolicies(const HostRoot& root) {
  const std::string folder = fmt::format("{}/cpufreq", kCpuFolder);
  std::vector<Policy> policies;
  for (const std::string& name : root.List(folder).value_or(std::vector<std::string>{})) {
    if (!name.starts_with("policy")) continue;
    const Policy policy = ReadPolicy(root, fmt::format("{}/{}", folder, name));
    if (policy.fastest) policies.push_back(policy);
  }
  return policies;
}

struct Range {
  double low = 0;
  double high = 0;
};

// What the governor and turbo let the core's clock be. The highest clock that is always there is
// the base; above it, how many cores are busy and how hot they are decides.
Range ClockRange(const Policy& policy, double usual_base, bool turbo_off) {
  const double steady = std::min(policy.base.value_or(usual_base), *policy.fastest);
  Range range{0, turbo_off ? steady : *policy.fastest};
  range.low = policy.keeps_high ? steady : std::min(policy.slowest.value_or(steady), range.high);
  return range;
}

// The TSC's frequency in kHz, and where it is from when not from the kernel.
struct Tsc {
  double khz = 0;
  std::string_view note;
};
std::optional<Tsc> FindTsc(const DoctorFacts& facts, std::optional<double> nominal) {
  const Count measured = facts.root.is_real() ? TscKhz() : Count::Missing("a recorded host");
  if (measured.has_value()) return Tsc{static_cast<double>(measured.value()), ""};
  if (nominal) return Tsc{*nominal, " (by the model name)"};
  return std::nullopt;
}

std::string Steps(const std::vector<Policy>& policies, bool turbo_off) {
  const bool all_high = std::ranges::all_of(policies, &Policy::keeps_high);
  std::vector<std::string_view> steps;
  if (!all_high) steps.emplace_back("sudo cpupower frequency-set -g performance");
  if (!turbo_off) steps.emplace_back("switch turbo off (see turbo)");
  if (steps.empty()) steps.emplace_back("list CPUs of one kind only in a plan's cpus");
  return fmt::format("{}", fmt::join(steps, "; "));
}

std::string NowText(const std::vector<Policy>& policies, double tsc_khz) {
  const auto& now = policies.front().now;
  return now ? fmt::format(", now {:.2f}", *now / tsc_khz) : "";
}

Finding LookAtRatio(const DoctorFacts& facts) {
  const std::vector<Policy> policies = ReadPolicies(facts.root);
  if (policies.empty()) {
    return Unknown(
        "the kernel shows no core frequency (no cpufreq): firmware or a hypervisor may "
        "change it");
  }
  const std::optional<double> nominal = NominalKhz(facts);
  const std::optional<Tsc> tsc = FindTsc(facts, nominal);
  if (!tsc) return Unknown("the kernel publishes no TSC frequency, and the model name has none");
  const bool turbo_off = IsTurboOff(facts.root);
  const double usual_base = nominal.value_or(tsc->khz);
  Range all = ClockRange(policies.front(), usual_base, turbo_off);
  for (const Policy& policy : policies) {
    const Range range = ClockRange(policy, usual_base, turbo_off);
    all = {std::min(all.low, range.low), std::max(all.high, range.high)};
  }
  const std::string seen =
      fmt::format("{:.2f} to {:.2f}{}: core {:.2f} to {:.2f} GHz, TSC {:.2f} GHz{}",
                  all.low / tsc->khz, all.high / tsc->khz, NowText(policies, tsc->khz),
                  all.low / 1e6, all.high / 1e6, tsc->khz / 1e6, tsc->note);
  if (all.high <= all.low * kSteadyFactor) return Ok(seen);
  return Warning(seen, Steps(policies, turbo_off));
}

constexpr std::array kChecks = {
    Check{"core_tsc_ratio",
          "gap and window are TSC cycles, a PAUSE takes core cycles: their ratio moves the cliff",
          LookAtRatio},
};

}  // namespace

bool IsTurboOff(const HostRoot& root) {
  const std::string folder(kCpuFolder);
  return root.ReadTrimmed(folder + "/intel_pstate/no_turbo").value_or("") == "1" ||
         root.ReadTrimmed(folder + "/cpufreq/boost").value_or("") == "0";
}

std::span<const Check> FrequencyChecks() { return kChecks; }

}  // namespace plectl::host
