// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/observers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <utility>

#include "host_tools/host/absent_counter.h"
#include "host_tools/host/bpf_exit_counter.h"
#include "host_tools/host/bpf_on_spin_counter.h"
#include "host_tools/host/dropping_counter.h"
#include "host_tools/host/perf_exit_counter.h"
#include "host_tools/host/perf_on_spin_counter.h"

namespace plectl::host {
namespace {

Result<ObserverPair> OpenBpf(const HostRoot& root, KvmModule module) {
  ObserverPair pair;
  PLECTL_ASSIGN_OR_RETURN(const auto programs, LoadBpfPrograms(root, module));
  pair.primary = MakeBpfExitCounter(module, programs);
  pair.check = MakeBpfOnSpinCounter(programs);
  return pair;
}

Result<ObserverPair> OpenPerf(const HostRoot& root, KvmModule module) {
  ObserverPair pair;
  PLECTL_ASSIGN_OR_RETURN(pair.primary, OpenPerfExitCounter(root, module));
  PLECTL_ASSIGN_OR_RETURN(pair.check, OpenPerfOnSpinCounter(root));
  return pair;
}

Result<ObserverPair> OpenBpfOrPerf(const HostRoot& root, KvmModule module) {
  Result<ObserverPair> bpf = OpenBpf(root, module);
  if (bpf) return bpf;
  Result<ObserverPair> perf = OpenPerf(root, module);
  if (!perf) {
    return Environment(fmt::format("count VM exits: neither by BPF ({}) nor by perf ({})",
                                   bpf.error().message, perf.error().message),
                       perf.error().hint);
  }
  perf->note = fmt::format("counting by perf, since BPF cannot be used: {}", bpf.error().message);
  return perf;
}

Result<ObserverPair> OpenChosen(const HostRoot& root, KvmModule module, ObserverChoice choice) {
  switch (choice) {
    case ObserverChoice::kBpf:
      return OpenBpf(root, module);
    case ObserverChoice::kPerf:
      return OpenPerf(root, module);
    case ObserverChoice::kNone:
      return ObserverPair{MakeAbsentCounter(), MakeAbsentCounter(), {}};
    case ObserverChoice::kAuto:
      break;
  }
  return OpenBpfOrPerf(root, module);
}

std::string_view ChoiceName(ObserverChoice choice) {
  switch (choice) {
    case ObserverChoice::kBpf:
      return "bpf";
    case ObserverChoice::kPerf:
      return "perf";
    case ObserverChoice::kNone:
      return kNoObserverName;
    case ObserverChoice::kAuto:
      break;
  }
  return "auto";
}

// Names of observers begin with the choice that takes them.
bool CanBe(ObserverChoice choice, std::string_view observer) {
  if (choice == ObserverChoice::kAuto) return observer != kNoObserverName;
  return observer.starts_with(ChoiceName(choice));
}

}  // namespace

Status CheckObserverOptions(const ObserverOptions& options, std::span<const std::string> recorded) {
  if (options.choice == ObserverChoice::kNone && options.check_drops_every_nth != 0) {
    return BadInput(
        "--break-observer needs an observer to break, but --observer none attaches none",
        "leave out one of the two");
  }
  if (recorded.empty() || CanBe(options.choice, recorded.front())) return OkStatus();
  return BadInput(fmt::format("the run was started with the observers {}, now asked for is "
                              "--observer {}",
                              fmt::join(recorded, " and "), ChoiceName(options.choice)),
                  "give another --out directory: observers change what they watch");
}

Result<ObserverPair> OpenObservers(const HostRoot& root, KvmModule module,
                                   const ObserverOptions& options) {
  PLECTL_ASSIGN_OR_RETURN(ObserverPair pair, OpenChosen(root, module, options.choice));
  if (options.check_drops_every_nth != 0) {
    pair.check = DropEveryNth(options.check_drops_every_nth, std::move(pair.check));
  }
  return pair;
}

}  // namespace plectl::host
