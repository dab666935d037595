// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/selftest_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/host/cpu_info.h"

namespace plectl::experiment {
namespace {

// Between the calibration and a trial the core's clock may fall or rise so much.
constexpr double kClockFactor = 2;
// The widest range that docs/architecture.md allows for.
constexpr double kRatioMin = 0.1;
constexpr double kRatioMax = 8;
// AMD counts PAUSEs, so no clock is in it.
constexpr double kAmdFactor = 1.25;

SelftestCheck Make(std::string name, std::string expectation) {
  SelftestCheck check;
  check.name = std::move(name);
  check.expectation = std::move(expectation);
  return check;
}

SelftestCheck Missing(SelftestCheck check, std::string because) {
  check.outcome = CheckOutcome::kMissing;
  check.because = std::move(because);
  return check;
}

// With what was seen; `because` is empty when it is as expected.
SelftestCheck Judged(SelftestCheck check, std::string measured, std::string because) {
  check.outcome = because.empty() ? CheckOutcome::kPassed : CheckOutcome::kFailed;
  check.measured = std::move(measured);
  check.because = std::move(because);
  return check;
}

uint64_t ParamOf(host::KvmModule module, const TrialRecord& trial, host::PlePlace place) {
  const auto found = trial.params.find(host::PleName(module, place));
  return found == trial.params.end() ? 0 : ParseUint(found->second).value_or(0);
}

double TurnsPerExit(host::KvmModule module, double window, double interval_tsc_cycles) {
  if (module == host::KvmModule::kAmd) return window + 2;
  return std::floor(window / interval_tsc_cycles) + 2;
}

std::string DeviceText(const KvmState& state) {
  if (!state.device_mode) return "/dev/kvm is not there";
  constexpr mode_t kPermissions = 07777;
  return fmt::format("/dev/kvm has mode {:o}, owner {}:{}", *state.device_mode & kPermissions,
                     state.device_owner, state.device_group);
}

}  // namespace

std::string_view OutcomeName(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::kPassed:
      return "passed";
    case CheckOutcome::kFailed:
      return "failed";
    case CheckOutcome::kMissing:
      break;
  }
  return "missing";
}

SelftestCheck CheckTsc(const HostRoot& root) {
  constexpr const char* kFolder = "/sys/devices/system/clocksource/clocksource0";
  SelftestCheck check = Make("tsc", "invariant, and the kernel trusts it: vCPUs share one clock");
  check.essential = false;
  const auto available = root.ReadTrimmed(fmt::format("{}/available_clocksource", kFolder));
  if (!available) return Missing(std::move(check), available.error().Text());
  const Result<host::CpuInfo> cpu = host::CpuInfo::Read(root);
  if (!cpu) return Missing(std::move(check), cpu.error().Text());
  std::vector<std::string_view> lacking;
  for (const std::string_view flag : {"constant_tsc", "nonstop_tsc"}) {
    if (!cpu->HasFlag("flags", flag).value_or(false)) lacking.push_back(flag);
  }
  const std::vector<std::string_view> sources = Split(*available, ' ');
  const std::string measured =
      fmt::format("clock sources: {}{}", *available,
                  lacking.empty() ? "; constant_tsc, nonstop_tsc"
                                  : fmt::format("; no {}", fmt::join(lacking, ", no ")));
  if (std::ranges::find(sources, "tsc") == sources.end()) {
    return Judged(std::move(check), measured,
                  "the kernel has marked the TSC unstable (dmesg says why): times of different "
                  "vCPUs cannot be compared");
  }
  if (lacking.empty()) return Judged(std::move(check), measured, "");
  check.measured = measured;
  return Missing(std::move(check),
                 "the CPU does not say that its TSC is invariant: gap, window and times in TSC "
                 "cycles change with its clock");
}

SelftestCheck CheckCoreClock(const host::MsrCounts& counts) {
  SelftestCheck check =
      Make("core_clock", fmt::format("{} to {} core cycles per TSC cycle", kRatioMin, kRatioMax));
  check.essential = false;
  for (const Count& count : {counts.aperf, counts.mperf}) {
    if (!count.has_value()) return Missing(std::move(check), count.missing_because());
  }
  if (counts.mperf.value() == 0) return Missing(std::move(check), "MPERF did not count");
  const double ratio =
      static_cast<double>(counts.aperf.value()) / static_cast<double>(counts.mperf.value());
  const bool fine = ratio >= kRatioMin && ratio <= kRatioMax;
  return Judged(std::move(check), fmt::format("{:.2f} (APERF / MPERF)", ratio),
                fine ? "" : "no bound of plectl holds on such a clock: please report it");
}

SelftestCheck CheckGapCliff(const CalibrationReport& report, const LoopCliff& loop) {
  const double least = loop.interval_tsc_cycles / kClockFactor;
  const double most = kClockFactor * loop.interval_tsc_cycles + 1;
  SelftestCheck check = Make(
      fmt::format("gap_cliff of {}", loop.loop),
      fmt::format("PLE fires from a gap of the PAUSEs' distance on: {:.1f} to {:.1f} TSC cycles",
                  least, most));
  if (!report.not_tried_because.empty()) return Missing(std::move(check), report.not_tried_because);
  if (loop.out_of_time) return Missing(std::move(check), loop.first_gap.missing_because());
  const std::string distance = fmt::format("distance {:.2f}", loop.interval_tsc_cycles);
  if (!loop.first_gap.has_value()) {
    return Judged(std::move(check), distance, loop.first_gap.missing_because());
  }
  const auto first = static_cast<double>(loop.first_gap.value());
  const bool fine = first >= std::floor(least) && first <= std::ceil(most);
  return Judged(std::move(check),
                fmt::format("{}, first {} {}", distance, report.gap_name, loop.first_gap.value()),
                fine ? "" : "the gap is not compared with the distance of two PAUSEs here");
}

SelftestCheck CheckWindow(host::KvmModule module, const TrialRecord& trial,
                          double interval_tsc_cycles) {
  const auto window = static_cast<double>(ParamOf(module, trial, host::kPleWindow));
  const double factor = module == host::KvmModule::kAmd ? kAmdFactor : kClockFactor;
  const double expected = static_cast<double>(trial.workload.iterations) /
                          TurnsPerExit(module, window, interval_tsc_cycles);
  SelftestCheck check =
      Make(fmt::format("window {}", window),
           fmt::format("{:.0f} to {:.0f} PAUSE exits in {} turns of a loop, fewer by other exits",
                       std::floor(expected / factor), std::ceil(expected * factor),
                       trial.workload.iterations));
  if (!trial.ple_off_because.empty()) return Missing(std::move(check), trial.ple_off_because);
  if (!trial.valid()) return Missing(std::move(check), trial.invalid_because);
  for (const Count& count : {trial.pause_exits, trial.kvm_exits_total}) {
    if (!count.has_value()) return Missing(std::move(check), count.missing_because());
  }
  const auto exits = static_cast<double>(trial.pause_exits.value());
  const double others = static_cast<double>(trial.kvm_exits_total.value()) - exits;
  // Any other exit opens the loop anew, which costs at most one PAUSE exit.
  const bool fine =
      exits + others >= std::floor(expected / factor) && exits <= std::ceil(expected * factor);
  return Judged(
      std::move(check),
      fmt::format("{} PAUSE exits, {} others; closed form {:.1f}", exits, others, expected),
      fine ? "" : "the window does not mean here what the manual says");
}

SelftestCheck CheckWitnesses(const std::vector<TrialRecord>& trials) {
  SelftestCheck check =
      Make("witnesses", "observer, second observer and KVM's own statistic count the same exits");
  uint64_t exits = 0;
  for (const TrialRecord& trial : trials) {
    if (!trial.valid()) return Judged(std::move(check), trial.id, trial.invalid_because);
    for (const Count& count : {trial.pause_exits, trial.pause_exits_check, trial.kvm_exits_total}) {
      if (!count.has_value()) return Missing(std::move(check), count.missing_because());
    }
    exits += trial.kvm_exits_total.value();
  }
  if (trials.empty()) return Missing(std::move(check), "no trial was run");
  return Judged(std::move(check),
                fmt::format("{} exits in {} trials, by three witnesses", exits, trials.size()), "");
}

SelftestCheck CheckContended(const TrialRecord& trial) {
  SelftestCheck check = Make("contention", "the default length lets vCPUs of one CPU meet");
  if (!trial.valid()) return Missing(std::move(check), trial.invalid_because);
  if (!trial.contention) return Missing(std::move(check), "the guest did not report it");
  return Judged(std::move(check),
                fmt::format("{} of {} acquisitions waited, {:.0f} % of the time shared",
                            trial.contention->contended, trial.contention->acquisitions,
                            100 * trial.contention->overlap),
                trial.not_contended_because);
}

SelftestCheck CheckControl(const ControlRecord& control) {
  SelftestCheck check = Make(fmt::format("control {}", control.name), control.expectation);
  if (!control.trial) return Missing(std::move(check), control.missing_because);
  const Count& exits = control.trial->pause_exits;
  return Judged(std::move(check),
                exits.has_value() ? fmt::format("{} PAUSE exits in {} turns", exits.value(),
                                                control.trial->workload.iterations)
                                  : exits.missing_because(),
                control.failed_because);
}

Result<KvmState> ReadKvmState(const HostRoot& root, host::KvmModule module) {
  KvmState state;
  PLECTL_ASSIGN_OR_RETURN(state.params, host::ReadParams(root, module));
  struct stat status {};
  if (::stat(root.Path("/dev/kvm").c_str(), &status) == 0) {
    state.device_mode = status.st_mode;
    state.device_owner = status.st_uid;
    state.device_group = status.st_gid;
  }
  return state;
}

SelftestCheck CheckRestored(const KvmState& before, const KvmState& after) {
  std::vector<std::string> wrong = host::Differences(before.params, after.params);
  const std::string device = DeviceText(after);
  if (device != DeviceText(before)) {
    wrong.push_back(fmt::format("{}; before, {}", device, DeviceText(before)));
  }
  return Judged(Make("restored", "all parameters, and owner and mode of /dev/kvm, as before"),
                fmt::format("{} parameters, {}", after.params.size(), device),
                fmt::format("{}", fmt::join(wrong, "; ")));
}

int SelftestExitCode(const std::vector<SelftestCheck>& checks) {
  constexpr int kNegativeVerdict = 1;
  const auto any = [&](auto is) { return std::ranges::any_of(checks, is); };
  if (any([](const SelftestCheck& check) { return check.outcome == CheckOutcome::kFailed; })) {
    return kNegativeVerdict;
  }
  const bool unproved = any([](const SelftestCheck& check) {
    return check.outcome == CheckOutcome::kMissing && check.essential;
  });
  return unproved || checks.empty() ? static_cast<int>(ErrorKind::kInconclusive) : 0;
}

}  // namespace plectl::experiment
