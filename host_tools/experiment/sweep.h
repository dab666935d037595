// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/executor.h"
#include "host_tools/experiment/host_identity.h"
#include "host_tools/experiment/plan.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/experiment/time_estimate.h"

namespace plectl::experiment {

// What a run still has to do.
struct RemainingWork {
  std::vector<ScheduledTrial> trials;  // in schedule order
  size_t finished = 0;                 // trials with a valid record
  std::vector<Manifest> manifests;     // of the sessions so far; empty for a new run
  std::vector<std::string> notes;      // from reading the log
  PastCosts costs;                     // of the trials so far
  // The ids of the finished trials by their lab seed.
  std::map<std::optional<uint64_t>, std::vector<std::string>> finished_ids;
  std::optional<RunLog> totals;  // of the log (LoadRunLogTotals()), if asked for
};

// Compares the schedule of `plan` with DIR/run.jsonl. BadInput when that log belongs to another
// plan or seed. A directory without a log, or none (""), is a new run. A log can be large and a
// schedule long: each is read and made here, once for a sweep.
enum class KeepTotals { kNo, kYes };
Result<RemainingWork> FindRemainingWork(const Plan& plan, const std::filesystem::path& directory,
                                        KeepTotals keep_totals = KeepTotals::kNo);

// Told about each trial as soon as its record is durable.
class SweepProgress {
 public:
  virtual ~SweepProgress() = default;
  virtual void OnStart(size_t finished, size_t total) = 0;
  // `record` may be invalid: then the trial is repeated, or given up. See
  // TrialRecord::repeated_as_disturbed().
  virtual void OnRecord(const TrialRecord& record) = 0;
  // A session has begun, a control has come out: once these are durable.
  virtual void OnManifest(const Manifest& /*manifest*/) {}
  virtual void OnControl(const ControlRecord& /*control*/) {}
  // A line for people that is not about a trial.
  virtual void OnNote(std::string_view /*text*/) {}
};

struct SweepOptions {
  std::filesystem::path directory;
  // Both of one trial in this session:
  uint32_t attempts_max = 3;           // invalid ones, before it is given up
  uint32_t disturbed_repeats_max = 2;  // of a disturbed one, before it is kept as it is
  // This host's fingerprint. A run that is finished must be this host's to be called so.
  std::function<nlohmann::json()> describe_host = {};
};

struct SweepSummary {
  size_t trials = 0;             // valid ones measured in this session
  size_t disturbed = 0;          // of `trials`, still disturbed after the last repeat
  size_t disturbed_repeats = 0;  // trials that were run again because they were disturbed
  size_t given_up = 0;
  std::string first_given_up_because;
  int reloads = 0;
  int64_t elapsed_ns = 0;
  int64_t own_ns = 0;  // elapsed_ns less the guests' measured parts and the parameter changes
};

// Runs what is left of `plan` with the executor that `make_executor` gives; it is not called when
// nothing is left. The host is restored before this returns, whatever happens.
using ExecutorFactory = std::function<Result<std::unique_ptr<Executor>>()>;
Result<SweepSummary> RunSweep(const Plan& plan, const RemainingWork& work,
                              const SweepOptions& options, const ExecutorFactory& make_executor,
                              SweepProgress& progress);

// How the manifests of a run of `plan` are compared.
LabSeedRule LabSeedRuleOf(const Plan& plan);

// The manifest for one session of a run of `plan`.
Manifest MakeManifest(const Plan& plan, const Executor& executor);

}  // namespace plectl::experiment
