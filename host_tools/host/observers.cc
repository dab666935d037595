// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/observers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "host_tools/host/absent_counter.h"
#include "host_tools/host/bpf_exit_counter.h"
#include "host_tools/host/bpf_on_spin_counter.h"
#include "host_tools/host/bpf_support.h"
#include "host_tools/host/dropping_counter.h"
#include "host_tools/host/function_probes.h"
#include "host_tools/host/kernel_fixes.h"
#include "host_tools/host/perf_exit_counter.h"
#include "host_tools/host/perf_on_spin_counter.h"

namespace plectl::host {
namespace {

bool IsPauseOnly(const ObserverOptions& options) {
  return options.choice == ObserverChoice::kPauseOnly;
}

using ProgramsPtr = std::shared_ptr<BpfPrograms>;

// A detail whose program this kernel does not take must not cost the counts: it is left out, and
// `missing` says why. First it is found out whether the details are to blame at all.
Result<ProgramsPtr> LoadWhatCanBe(const HostRoot& root, KvmModule module, const BpfWanted& wanted,
                                  std::map<std::string, std::string>& missing) {
  Result<ProgramsPtr> all = BpfPrograms::Load(root, module, wanted);
  const std::vector<BpfDetail> details = BpfDetailsOf(wanted.details);
  if (all || details.empty()) return all;
  BpfWanted fewer = wanted;
  for (const BpfDetail& detail : details) fewer.details.*detail.member = false;
  Result<ProgramsPtr> none = BpfPrograms::Load(root, module, fewer);
  if (!none) return all;
  for (const BpfDetail& detail : details) {
    fewer = wanted;
    fewer.details.*detail.member = false;
    Result<ProgramsPtr> others = BpfPrograms::Load(root, module, fewer);
    if (!others) continue;
    missing.emplace(detail.name, all.error().message);
    return others;
  }
  for (const BpfDetail& detail : details) missing.emplace(detail.name, all.error().message);
  return none;
}

Result<ObserverPair> OpenBpf(const HostRoot& root, KvmModule module,
                             const ObserverOptions& options) {
  const BpfWanted wanted{.exits = !IsPauseOnly(options),
                         .on_spin = IsPauseOnly(options) || options.check == CheckTrials::kEvery,
                         .details = options.details};
  ObserverPair pair;
  PLECTL_ASSIGN_OR_RETURN(const auto programs,
                          LoadWhatCanBe(root, module, wanted, pair.details_missing));
  for (const auto& [detail, because] : pair.details_missing) {
    pair.note += fmt::format("{}--observe {} is missing: {}", pair.note.empty() ? "" : "; ", detail,
                             because);
  }
  if (IsPauseOnly(options)) {
    pair.primary = MakeBpfPauseCounter(programs);
  } else {
    pair.primary = MakeBpfExitCounter(module, programs);
    pair.check = MakeBpfOnSpinCheck(programs);
  }
  return pair;
}

Result<ObserverPair> OpenPerf(const HostRoot& root, KvmModule module,
                              const ObserverOptions& options) {
  ObserverPair pair;
  if (IsPauseOnly(options)) {
    PLECTL_ASSIGN_OR_RETURN(pair.primary, OpenPerfOnSpinCounter(root));
    return pair;
  }
  PLECTL_ASSIGN_OR_RETURN(pair.primary, OpenPerfExitCounter(root, module));
  PLECTL_ASSIGN_OR_RETURN(pair.check, OpenPerfOnSpinCounter(root));
  return pair;
}

ObserverPair OpenNone() {
  ObserverPair pair;
  pair.primary = MakeAbsentCounter();
  return pair;
}

Result<ObserverPair> OpenBpfOrPerf(const HostRoot& root, KvmModule module,
                                   const ObserverOptions& options) {
  Result<ObserverPair> bpf = OpenBpf(root, module, options);
  if (bpf || options.details.any()) return bpf;
  Result<ObserverPair> perf = OpenPerf(root, module, options);
  if (!perf) {
    return Environment(fmt::format("count VM exits: neither by BPF ({}) nor by perf ({})",
                                   bpf.error().message, perf.error().message),
                       perf.error().hint);
  }
  perf->note = fmt::format("counting by perf, since BPF cannot be used: {}", bpf.error().message);
  return perf;
}

Result<ObserverPair> OpenChosen(const HostRoot& root, KvmModule module,
                                const ObserverOptions& options) {
  switch (options.choice) {
    case ObserverChoice::kBpf:
      return OpenBpf(root, module, options);
    case ObserverChoice::kPerf:
      return OpenPerf(root, module, options);
    case ObserverChoice::kNone:
      return OpenNone();
    case ObserverChoice::kAuto:
    case ObserverChoice::kPauseOnly:
      break;
  }
  return OpenBpfOrPerf(root, module, options);
}

std::string UncheckedBecause(ObserverChoice choice) {
  if (choice == ObserverChoice::kNone) return std::string(kNoObserverBecause);
  if (choice == ObserverChoice::kPauseOnly) {
    return "there is no second observer (--observer pause-only)";
  }
  return "checked in the control trials only (--check-observer every-trial)";
}

// Names of observers begin with how they count and end with what.
bool CanBe(ObserverChoice choice, std::string_view observer) {
  switch (choice) {
    case ObserverChoice::kAuto:
      return observer == "bpf-exit" || observer == "perf-exit";
    case ObserverChoice::kPauseOnly:
      return observer.find("-on-spin") != std::string_view::npos;
    case ObserverChoice::kNone:
      return observer == kNoObserverName;
    default:
      return observer == fmt::format("{}-exit", ChoiceName(choice));
  }
}

bool HasCheck(const ObserverOptions& options) {
  return options.check == CheckTrials::kEvery && !IsPauseOnly(options) &&
         options.choice != ObserverChoice::kNone;
}

bool CanBe(const ObserverOptions& options, std::span<const std::string> recorded) {
  if (!CanBe(options.choice, recorded.front())) return false;
  std::span<const std::string> rest = recorded.subspan(1);
  const bool checked = !rest.empty() && rest.front().find("-on-spin") != std::string::npos;
  if (checked != HasCheck(options)) return false;
  if (checked) rest = rest.subspan(1);
  return std::ranges::equal(rest, DetailNames(options.details));
}

std::string OptionsText(const ObserverOptions& options) {
  std::string text = fmt::format("--observer {}", ChoiceName(options.choice));
  if (options.check == CheckTrials::kEvery) text += " --check-observer every-trial";
  if (options.details.any()) {
    text += fmt::format(" --observe {}", fmt::join(DetailNames(options.details), ","));
  }
  return text;
}

Status CheckContradictions(const ObserverOptions& options) {
  const std::string_view choice = ChoiceName(options.choice);
  if (options.check_drops_every_nth != 0 && !HasCheck(options)) {
    return BadInput(
        fmt::format("--break-observer breaks the check observer, and --observer {} has none in the "
                    "trials that are measured",
                    choice),
        "give --check-observer every-trial with --observer auto, bpf or perf");
  }
  const bool has_bpf =
      options.choice == ObserverChoice::kAuto || options.choice == ObserverChoice::kBpf;
  if (options.details.any() && !has_bpf) {
    return BadInput(
        fmt::format("--observe is done by the BPF observer, not by --observer {}", choice),
        "leave out one of the two");
  }
  return OkStatus();
}

}  // namespace

std::string_view ChoiceName(ObserverChoice choice) {
  switch (choice) {
    case ObserverChoice::kBpf:
      return "bpf";
    case ObserverChoice::kPerf:
      return "perf";
    case ObserverChoice::kPauseOnly:
      return "pause-only";
    case ObserverChoice::kNone:
      return kNoObserverName;
    case ObserverChoice::kAuto:
      break;
  }
  return "auto";
}

std::vector<std::string> ObserverPair::Names() const {
  std::vector<std::string> names = {std::string(primary->name())};
  if (check && check_trials == CheckTrials::kEvery) names.emplace_back(check->name());
  for (std::string& detail : DetailNames(details)) names.push_back(std::move(detail));
  return names;
}

Status CheckObserverOptions(const ObserverOptions& options, std::span<const std::string> recorded) {
  PLECTL_RETURN_IF_ERROR(CheckContradictions(options));
  if (recorded.empty() || CanBe(options, recorded)) return OkStatus();
  return BadInput(fmt::format("the run was started with the observers {}, now asked for is {}",
                              fmt::join(recorded, " and "), OptionsText(options)),
                  "give another --out directory: observers change what they watch");
}

Result<ObserverPair> OpenObservers(const HostRoot& root, KvmModule module,
                                   const ObserverOptions& options) {
  const std::string off = FunctionProbesOffBecause(root);
  if (options.choice != ObserverChoice::kNone && !off.empty()) {
    return Environment(fmt::format("check the count of PAUSE exits: {}", off),
                       fmt::format("{}; or count nothing: --observer none", kFunctionProbesOnHint));
  }
  Result<ObserverPair> opened = OpenChosen(root, module, options);
  const std::string locked = LockedDownBecause(root);
  if (!opened && !locked.empty()) {
    return Environment("count VM exits: " + locked, std::string(kLockedDownHint));
  }
  PLECTL_ASSIGN_OR_RETURN(ObserverPair pair, std::move(opened));
  pair.check_trials = options.check;
  pair.kvm_lacks_fast_path_exits = KvmLacksFastPathExits(root, module);
  pair.unchecked_because = UncheckedBecause(options.choice);
  pair.details = options.details;
  if (options.details.hardware) {
    PLECTL_ASSIGN_OR_RETURN(pair.hardware, HardwareCounters::Open(root));
  }
  if (options.check_drops_every_nth != 0) {
    pair.check = DropEveryNth(options.check_drops_every_nth, std::move(pair.check));
  }
  return pair;
}

}  // namespace plectl::host
