// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/experiment/trial_record.h"
#include "host_tools/host/exit_counter.h"

namespace plectl::experiment {

// What both observers saw of one trial.
struct ObservedCounts {
  host::ExitCounts primary;
  host::ExitCounts check;
};

// Writes the counts into `record` and marks it invalid, with the reason, when they cannot be
// trusted: an observer lost events, the two disagree on the PAUSE exits, or the exits by reason do
// not add up to KVM's own statistic. Without observers (--observer none) there is nothing to check:
// their counts are missing, KVM's stands alone and the trial is valid. `record.vcpus` must hold the
// guest's results already.
void RecordCounts(const ObservedCounts& observed, TrialRecord& record);

}  // namespace plectl::experiment
