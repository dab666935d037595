// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "host_tools/experiment/trial_record.h"
#include "host_tools/host/exit_counter.h"

namespace plectl::experiment {

// What the observers saw of one trial.
struct ObservedCounts {
  host::ExitCounts primary;
  std::optional<host::ExitCounts> check;
  std::string unchecked_because;  // why there is no `check`
  // KVM's statistic does not count exits that it handles in its innermost loop (VMX with APICv
  // before Linux 6.4, 6.1.34, 5.15.117): it may be less by up to as many as can be such exits.
  bool kvm_lacks_fast_path_exits = false;
};

// Writes what the guest reported, and how long it took, into `record`.
void RecordGuestResult(const guests::GuestResult& result, TrialRecord& record);

// Writes the counts into `record` and marks it invalid, with the reason, when they cannot be
// trusted: an observer lost events, the two disagree on the PAUSE exits, or the exits by reason do
// not add up to KVM's own statistic (where only PAUSE exits are counted: are more than that).
// Without a second observer the PAUSE exits stand alone. Without any (--observer none) there is
// nothing to check: their counts are missing, KVM's stands alone and the trial is valid.
// `record.vcpus` must hold the guest's results already.
void RecordCounts(const ObservedCounts& observed, TrialRecord& record);

}  // namespace plectl::experiment
