// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/json_value.h"
#include "host_tools/experiment/pause_sites.h"
#include "host_tools/experiment/plan.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/noise_record.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::experiment {

// Where one trial's time went; nanoseconds of CLOCK_MONOTONIC.
struct TrialTimings {
  int64_t params_ns = 0;  // compare, journal, reload, read back; ~0 when no value changed
  int64_t setup_ns = 0;   // VM creation to start barrier
  int64_t run_ns = 0;     // the guest's measured part
  int64_t teardown_ns = 0;
  int64_t own_ns = 0;  // the whole trial but params_ns and run_ns: plectl's own cost
  // Reloads of the module for this trial; not in older records.
  std::optional<uint64_t> reloads = {};

  // Of an older record by the time: comparing the values alone mostly is much faster.
  [[nodiscard]] bool reloaded() const {
    constexpr int64_t kReloadFloorNs = 1'000'000;
    return reloads ? *reloads != 0 : params_ns >= kReloadFloorNs;
  }
};

// How the `invalid_because` of a trial begins that was repeated only for what disturbed it.
inline constexpr std::string_view kDisturbedStart = "disturbed: ";

// One line "kind":"trial" of run.jsonl (docs/run_format.md).
struct TrialRecord {
  std::string id;
  std::optional<uint64_t> lab_seed;  // the replicate, when the plan has lab_seeds
  uint32_t block = 0;
  uint32_t attempt = 1;  // 1, 2, ...: repeats of an invalid or disturbed trial
  Arm arm = Arm::kPause;
  host::ParamValues params;  // every PLE parameter of the module as read back
  guests::Workload workload;
  Count pause_exits = Count::Missing("not measured");
  Count pause_exits_check = Count::Missing("not measured");  // the second observer's
  std::map<std::string, uint64_t> exits;                     // by reason
  std::string exits_missing_because;
  Count exits_total = Count::Missing("not measured");
  Count kvm_exits_total = Count::Missing("not measured");  // KVM's own statistic
  Count window_updates = Count::Missing("not measured");
  Count window_growths = Count::Missing("not measured");
  Count window_shrinks = Count::Missing("not measured");
  double throughput_per_s = 0;  // not finite: missing
  uint64_t tsc_khz = 0;
  uint64_t elapsed_tsc_cycles = 0;
  std::vector<guests::VcpuResult> vcpus;
  // Absent from older records, and of payloads that wait for nothing.
  std::optional<double> fairness_jain;
  std::optional<guests::WaitSummary> waits;
  std::vector<guests::VmResult> vms;  // of each; not in older records
  // Of payloads that need it; not in older records. When there was none the trial shows nothing of
  // its lock, whatever its figures say, and this is why.
  std::optional<guests::Contention> contention;
  std::string not_contended_because;
  // What the primary observer knows of each vCPU, in the same order. Empty: nothing, or the guest
  // gave no result; not in older records.
  std::vector<host::VcpuCounts> observed;
  std::optional<PauseSites> pause_sites;   // where; when asked for
  std::map<std::string, Count> energy_uj;  // of the host's packages; when asked for
  std::string ple_off_because;  // not empty: PLE could not fire under these parameters, and why
  TrialTimings timings;
  std::optional<host::NoiseRecord> noise;  // what the host did meanwhile; not in older records
  std::string disturbed_because;           // of that, what was too much; empty: quiet or not known
  std::string invalid_because;             // empty: valid
  [[nodiscard]] bool valid() const { return invalid_because.empty(); }
  // Nothing was wrong with it but what disturbed it.
  [[nodiscard]] bool repeated_as_disturbed() const {
    return invalid_because.starts_with(kDisturbedStart);
  }
};

// How much of a record its reader wants. All of it is checked in any case.
enum class TrialParts {
  kFigures,  // as kTotals, without exits by reason
  kTotals,   // as LeaveTotals() leaves it
  kAll,
};

// Takes away all but the totals, exits by reason, and of each vCPU its times, its acquisitions and
// its `extra`.
void LeaveTotals(TrialRecord& trial);

nlohmann::json ToJson(const TrialRecord& record);
// BadInput that names the field when one is absent, of another type or out of range.
Result<TrialRecord> TrialFromJson(const nlohmann::json& json);
Result<TrialRecord> TrialFromJson(const JsonValue& json, TrialParts parts = TrialParts::kAll);

}  // namespace plectl::experiment
