// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/exit_counter.h"
#include "host_tools/host/hardware_counters.h"
#include "host_tools/host/observer_details.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

enum class ObserverChoice {
  kAuto,       // BPF, or perf where BPF cannot be used
  kBpf,        // bpf-exit: all reasons, cheapest
  kPerf,       // perf-exit: for kernels and users without BPF
  kPauseOnly,  // on-spin alone: PAUSE exits only, at no cost to any other exit
  kNone,       // nothing is attached, only KVM's own statistic counts: what observers change
};
// As on the command line.
std::string_view ChoiceName(ObserverChoice choice);

// Which trials the second observer watches. KVM's own total of the exits, which costs nothing, is
// compared in every trial.
enum class CheckTrials {
  kControls,  // control trials only: it is not attached in those that are measured
  kEvery,     // all of them, each of whose PAUSE exits it makes dearer
};

struct ObserverOptions {
  ObserverChoice choice = ObserverChoice::kAuto;
  CheckTrials check = CheckTrials::kControls;
  ObserverDetails details;
  // Fault injection for tests: the check observer forgets every n-th PAUSE exit, so that trials
  // with that many become invalid. 0: none.
  uint64_t check_drops_every_nth = 0;
};

struct ObserverPair {
  std::unique_ptr<ExitCounter> primary;  // the counts of the record
  std::unique_ptr<ExitCounter> check;    // an independent way to count the PAUSE exits; or null
  CheckTrials check_trials = CheckTrials::kControls;
  std::string unchecked_because;  // why a trial has no second count, if it has none
  ObserverDetails details;        // as asked for
  // Details that this kernel does not let be observed, by name, and why.
  std::map<std::string, std::string> details_missing;
  bool kvm_lacks_fast_path_exits = false;    // kernel_fixes.h
  std::optional<HardwareCounters> hardware;  // when asked for
  std::string note;  // why kAuto did not take BPF, or what is missing, else empty

  // Not with --observer none.
  [[nodiscard]] bool counts_pause_exits() const { return primary->name() != "none"; }
  // For the manifest: all that costs the exits of a measured trial.
  [[nodiscard]] std::vector<std::string> Names() const;
};

// Whether these are the observers that OpenObservers() picks by itself.
inline bool IsAutomatic(const ObserverOptions& options) {
  return options.choice == ObserverChoice::kAuto && options.check == CheckTrials::kControls &&
         !options.details.any() && options.check_drops_every_nth == 0;
}

// BadInput when `options` contradict each other, or cannot give the observers that a run was
// started with: `recorded` as in its manifest, empty for a new run. Of kAuto only opening tells
// whether it is BPF or perf.
Status CheckObserverOptions(const ObserverOptions& options, std::span<const std::string> recorded);

// Loads the observers, and attaches those that watch every trial; they count from the moment this
// returns, without any settling, and through reloads of `module`, which must be loaded now. They
// keep kvm.ko loaded while they exist. Environment error with the reasons when they cannot be.
Result<ObserverPair> OpenObservers(const HostRoot& root, KvmModule module,
                                   const ObserverOptions& options);

}  // namespace plectl::host
