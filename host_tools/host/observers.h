// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/exit_counter.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

enum class ObserverChoice {
  kAuto,  // BPF, or perf where BPF cannot be used
  kBpf,   // bpf-exit and bpf-on-spin: cheapest, all reasons
  kPerf,  // perf-exit and perf-on-spin: for kernels and users without BPF
  kNone,  // nothing is attached, only KVM's own statistic counts: to see what observers change
};

struct ObserverOptions {
  ObserverChoice choice = ObserverChoice::kAuto;
  // Fault injection for tests: the check observer forgets every n-th PAUSE exit, so that trials
  // with that many become invalid. 0: none.
  uint64_t check_drops_every_nth = 0;
};

struct ObserverPair {
  std::unique_ptr<ExitCounter> primary;  // the counts of the record
  std::unique_ptr<ExitCounter> check;    // an independent way to count the PAUSE exits
  std::string note;                      // why kAuto did not take BPF, else empty
};

// Whether these are the observers that OpenObservers() picks by itself.
inline bool IsAutomatic(const ObserverOptions& options) {
  return options.choice == ObserverChoice::kAuto && options.check_drops_every_nth == 0;
}

// BadInput when `options` contradict each other, or cannot give the observers that a run was
// started with: `recorded` as in its manifest, empty for a new run. Of kAuto only opening tells
// whether it is BPF or perf.
Status CheckObserverOptions(const ObserverOptions& options, std::span<const std::string> recorded);

// Attaches both observers; they count from the moment this returns, without any settling, and
// through reloads of `module`, which must be loaded now. They keep kvm.ko loaded while they exist.
// Environment error with the reasons when they cannot be attached.
Result<ObserverPair> OpenObservers(const HostRoot& root, KvmModule module,
                                   const ObserverOptions& options);

}  // namespace plectl::host
