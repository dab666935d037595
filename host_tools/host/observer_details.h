// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::host {

// What observers may record beyond the counts. Each costs the exits more (docs/observers.md), so
// each is asked for, and each is named in the manifest.
struct ObserverDetails {
  bool exit_times = false;       // how long the host handled the exits of each reason
  bool pause_rips = false;       // at which guest addresses PAUSE exits
  bool directed_yields = false;  // what kvm_vcpu_on_spin() did: who was boosted
  bool hardware = false;         // performance counters of the CPU and its energy

  [[nodiscard]] bool any() const { return exit_times || pause_rips || directed_yields || hardware; }
  friend bool operator==(const ObserverDetails&, const ObserverDetails&) = default;
};

// One that BPF programs observe.
struct BpfDetail {
  std::string_view name;
  bool ObserverDetails::*member;
};
// Those that are set.
std::vector<BpfDetail> BpfDetailsOf(const ObserverDetails& details);

// Their names as on the command line and in a manifest, always in the same order.
std::vector<std::string> DetailNames(const ObserverDetails& details);

// All names that there are: "exit_times, pause_rips, ...".
std::string AllDetailNames();

// From a list "exit_times,pause_rips". BadInput for a name that is not known or stands twice.
Result<ObserverDetails> ParseDetails(std::string_view list);

}  // namespace plectl::host
