// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "host_tools/experiment/calibrator.h"
#include "host_tools/experiment/control_record.h"
#include "host_tools/experiment/trial_record.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/noise_sample.h"

namespace plectl::experiment {

enum class CheckOutcome { kPassed, kFailed, kMissing };
std::string_view OutcomeName(CheckOutcome outcome);

// One assumption about the host's CPU and kernel (docs/architecture.md), tried.
struct SelftestCheck {
  std::string name;
  std::string expectation;
  bool essential = true;  // when it is missing nothing is proved
  CheckOutcome outcome = CheckOutcome::kMissing;
  std::string measured;  // empty when missing
  std::string because;   // why it failed or is missing
};

// The rules, without the measuring. Each allows for what a CPU may do: its clock may be twice what
// it was, or half of it, since the calibration.

// The kernel's TSC flags and clock source.
SelftestCheck CheckTsc(const HostRoot& root);
// Core cycles per TSC cycle while a guest spun.
SelftestCheck CheckCoreClock(const host::MsrCounts& counts);
// The distance of two PAUSEs against the first gap under which PLE fires.
SelftestCheck CheckGapCliff(const CalibrationReport& report, const LoopCliff& loop);
// PAUSE exits of a pause_loop trial with a fixed window against N / (floor(W / L) + 2).
SelftestCheck CheckWindow(host::KvmModule module, const TrialRecord& trial,
                          double interval_tsc_cycles);
// The observer, the second one and KVM's own statistic agree in every trial.
SelftestCheck CheckWitnesses(const std::vector<TrialRecord>& trials);
// The default length of a lock payload is long enough for its vCPUs to meet.
SelftestCheck CheckContended(const TrialRecord& trial);
SelftestCheck CheckControl(const ControlRecord& control);

// What a reload must leave as it was.
struct KvmState {
  host::ParamValues params;
  std::optional<mode_t> device_mode;  // of /dev/kvm; nothing when it is not there
  uid_t device_owner = 0;
  gid_t device_group = 0;
};
Result<KvmState> ReadKvmState(const HostRoot& root, host::KvmModule module);
SelftestCheck CheckRestored(const KvmState& before, const KvmState& after);

// The exit code of all of them: 0 when all passed (but what may be missing), 1 when one failed, 5
// when one that is essential is missing.
int SelftestExitCode(const std::vector<SelftestCheck>& checks);

}  // namespace plectl::experiment
