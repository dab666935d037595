// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/sweep.h"

#include <fmt/format.h>

#include <unordered_set>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/base/stop.h"
#include "host_tools/base/version.h"
#include "host_tools/experiment/lab_host.h"
#include "host_tools/experiment/same_settings.h"

namespace plectl::experiment {
namespace {

Status CheckSamePlan(const RunLogHead& log, const Plan& plan,
                     const std::filesystem::path& directory) {
  const Manifest& manifest = log.manifests.front();
  if (manifest.plan_sha256 == plan.sha256 && manifest.seed == plan.seed) {
    if (manifest.payload_sha256 == plan.payload_sha256) return OkStatus();
    return BadInput(
        fmt::format(
            "{} holds a run of another guest (payload sha256 {:.12}..., this one {:.12}...)",
            directory.string(), manifest.payload_sha256, plan.payload_sha256),
        "give another --out directory, or the --payload-elf and plectl it was started with");
  }
  return BadInput(
      fmt::format("{} holds a run of another plan (sha256 {:.12}..., seed {}; this plan "
                  "has {:.12}..., seed {})",
                  directory.string(), manifest.plan_sha256, manifest.seed, plan.sha256, plan.seed),
      "give another --out directory, or the plan that the run was started with");
}

// One sweep session: the loop over trials and its bookkeeping.
class Session {
 public:
  Session(const Plan& plan, const SweepOptions& options, Executor& executor, RunLogWriter& writer,
          SweepProgress& progress)
      : plan_(plan), options_(options), executor_(executor), writer_(writer), progress_(progress) {}

  // The controls come second: so they find parameters in place that most often suit them, which
  // saves a reload, and the first result is there at once.
  Status RunAll(const std::vector<ScheduledTrial>& trials) {
    PLECTL_RETURN_IF_ERROR(RunTrial(trials.front()));
    PLECTL_RETURN_IF_ERROR(RunControls());
    for (size_t i = 1; i < trials.size(); ++i) PLECTL_RETURN_IF_ERROR(RunTrial(trials[i]));
    return OkStatus();
  }

  SweepSummary Summary() const {
    SweepSummary summary = summary_;
    summary.reloads = executor_.reloads();
    summary.elapsed_ns = elapsed_.ElapsedNs();
    summary.own_ns = summary.elapsed_ns - not_own_ns_;
    return summary;
  }

 private:
  // Disturbed and invalid tries are counted apart, so that neither uses up the other's.
  Status RunTrial(const ScheduledTrial& trial) {
    uint32_t invalid = 0;
    uint32_t repeats = 0;
    for (uint32_t attempt = 1; invalid < options_.attempts_max; ++attempt) {
      const bool may_repeat = repeats < options_.disturbed_repeats_max;
      PLECTL_ASSIGN_OR_RETURN(const TrialRecord record, RunOnce(trial, attempt, may_repeat));
      if (record.valid()) {
        CountValid(record);
        return OkStatus();
      }
      if (record.repeated_as_disturbed()) {
        ++repeats;
      } else if (++invalid == options_.attempts_max) {
        GiveUp(record);
      }
    }
    return OkStatus();
  }

  // Makes their records durable, whatever they are, before it says that one failed.
  Status RunControls() {
    PLECTL_ASSIGN_OR_RETURN(const std::vector<ControlRecord> controls,
                            executor_.RunControls(plan_));
    for (const ControlRecord& control : controls) {
      PLECTL_RETURN_IF_ERROR(writer_.Append(control));
      progress_.OnControl(control);
    }
    for (const ControlRecord& control : controls) {
      if (control.failed_because.empty()) continue;
      return Inconclusive(
          fmt::format("could not measure: the control {} failed: {}", control.name,
                      control.failed_because),
          "a host where this happens cannot measure PLE: look at `plectl doctor`, and at the "
          "control's record in the run log");
    }
    return OkStatus();
  }

  // Runs a trial and makes its record durable. One that is disturbed and may be repeated is written
  // as invalid, so that no reader takes it for the trial's result.
  Result<TrialRecord> RunOnce(const ScheduledTrial& trial, uint32_t attempt, bool may_repeat) {
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
    PLECTL_ASSIGN_OR_RETURN(TrialRecord record, executor_.Run(plan_, trial, attempt));
    record.lab_seed = trial.lab_seed;  // executors know of no labs
    if (may_repeat && record.valid() && !record.disturbed_because.empty()) {
      record.invalid_because = fmt::format("{}{}", kDisturbedStart, record.disturbed_because);
      ++summary_.disturbed_repeats;
    }
    PLECTL_RETURN_IF_ERROR(writer_.Append(record));
    not_own_ns_ += record.timings.params_ns + record.timings.run_ns;
    progress_.OnRecord(record);
    return record;
  }

  void CountValid(const TrialRecord& record) {
    ++summary_.trials;
    if (!record.disturbed_because.empty()) ++summary_.disturbed;
  }

  void GiveUp(const TrialRecord& record) {
    ++summary_.given_up;
    if (summary_.first_given_up_because.empty()) {
      summary_.first_given_up_because = record.invalid_because;
    }
  }

  const Plan& plan_;
  const SweepOptions& options_;
  Executor& executor_;
  RunLogWriter& writer_;
  SweepProgress& progress_;
  SweepSummary summary_;
  int64_t not_own_ns_ = 0;
  Stopwatch elapsed_;
};

// Keeps of a log what a sweep needs to go on.
class ResumeReader final : public TrialSink {
 public:
  explicit ResumeReader(KeepTotals keep_totals) : keep_totals_(keep_totals) { Restart(); }

  [[nodiscard]] TrialParts parts() const override {
    return keep_totals_ == KeepTotals::kYes ? TrialParts::kTotals : TrialParts::kFigures;
  }

  void OnTrial(TrialRecord trial, const LinePlace& /*place*/) override {
    work_.costs.Add(trial);
    if (trial.valid()) {
      work_.finished_ids[trial.lab_seed].push_back(trial.id);
      finished_.insert(trial.id);
    }
    if (!work_.totals) return;
    work_.totals->trials.push_back(std::move(trial));
  }

  void Restart() override {
    work_ = RemainingWork();
    finished_.clear();
    if (keep_totals_ == KeepTotals::kYes) work_.totals = RunLog();
  }

  void End(RunLogHead head) {
    if (!head.manifests.empty()) work_.costs.AddManifest(head.manifests.front());
    work_.manifests = head.manifests;
    work_.notes = head.notes;
    if (work_.totals) static_cast<RunLogHead&>(*work_.totals) = std::move(head);
  }

  RemainingWork Take() { return std::move(work_); }
  [[nodiscard]] bool IsFinished(const std::string& id) const { return finished_.contains(id); }

 private:
  KeepTotals keep_totals_;
  RemainingWork work_;
  std::unordered_set<std::string> finished_;
};

// A record that names a seed must come from a lab of that seed.
Status CheckHasSeeds(const Plan& plan, const Manifest& manifest) {
  if (plan.lab_seeds.empty() || IsLab(manifest.host)) return OkStatus();
  return BadInput("the plan has lab_seeds, but this host is not the lab",
                  "use --host lab; for a real host use blocks instead");
}

// Also where it cannot be looked at, which reading it will tell.
bool MayHaveRunLog(const std::filesystem::path& directory) {
  std::error_code error;
  const auto status = std::filesystem::status(directory / kRunLogFileName, error);
  return status.type() != std::filesystem::file_type::not_found;
}

}  // namespace

LabSeedRule LabSeedRuleOf(const Plan& plan) {
  return plan.lab_seeds.empty() ? LabSeedRule::kSame : LabSeedRule::kMayDiffer;
}

Result<RemainingWork> FindRemainingWork(const Plan& plan, const std::filesystem::path& directory,
                                        KeepTotals keep_totals) {
  ResumeReader reader(keep_totals);
  if (!directory.empty() && MayHaveRunLog(directory)) {
    PLECTL_ASSIGN_OR_RETURN(RunLogHead head, ReadRunLog(directory, reader));
    if (!head.manifests.empty()) PLECTL_RETURN_IF_ERROR(CheckSamePlan(head, plan, directory));
    reader.End(std::move(head));
  }
  RemainingWork work = reader.Take();
  for (ScheduledTrial& trial : MakeSchedule(plan)) {
    if (reader.IsFinished(trial.id)) {
      ++work.finished;
    } else {
      work.trials.push_back(std::move(trial));
    }
  }
  return work;
}

// The module's parameters that the plan sets; the others stay as the host has them.
std::set<std::string> NamedParams(const Plan& plan) {
  std::set<std::string> names;
  for (const host::ParamValues& params : plan.param_sets) {
    for (const auto& [name, value] : params) names.insert(name);
  }
  return names;
}

Manifest MakeManifest(const Plan& plan, const Executor& executor) {
  Manifest manifest;
  manifest.plectl_version = kVersion;
  manifest.plan = {{"name", plan.name},     {"seed", plan.seed},           {"blocks", plan.blocks},
                   {"trials", plan.trials}, {"params", NamedParams(plan)}, {"text", plan.text}};
  manifest.plan_sha256 = plan.sha256;
  manifest.payload_sha256 = plan.payload_sha256;
  manifest.seed = plan.seed;
  manifest.host = executor.Host();
  manifest.observers = executor.Observers();
  manifest.observer_cost = executor.ObserverCost();
  return manifest;
}

Result<SweepSummary> RunSweep(const Plan& plan, const RemainingWork& work,
                              const SweepOptions& options, const ExecutorFactory& make_executor,
                              SweepProgress& progress) {
  if (work.trials.empty() && !work.manifests.empty() && options.describe_host) {
    PLECTL_RETURN_IF_ERROR(
        CheckSameHost(work.manifests.front(), options.describe_host(), LabSeedRuleOf(plan)));
  }
  progress.OnStart(work.finished, work.finished + work.trials.size());
  if (work.trials.empty()) return SweepSummary();
  PLECTL_ASSIGN_OR_RETURN(const std::unique_ptr<Executor> executor, make_executor());
  Manifest manifest = MakeManifest(plan, *executor);
  PLECTL_RETURN_IF_ERROR(CheckHasSeeds(plan, manifest));
  if (!work.manifests.empty()) {
    PLECTL_RETURN_IF_ERROR(CheckSameHost(work.manifests.front(), manifest, LabSeedRuleOf(plan)));
    PLECTL_RETURN_IF_ERROR(CheckSameSettings(work.manifests.front(), manifest));
  }
  PLECTL_ASSIGN_OR_RETURN(RunLogWriter writer, RunLogWriter::Open(options.directory));
  manifest.calibration = ToJson(executor->Calibrate(plan));
  PLECTL_RETURN_IF_ERROR(writer.Append(manifest));
  progress.OnManifest(manifest);
  Session session(plan, options, *executor, writer, progress);
  const Status ran = session.RunAll(work.trials);
  const SweepSummary summary = session.Summary();
  const Status finished = executor->Finish();
  PLECTL_RETURN_IF_ERROR(ran);
  PLECTL_RETURN_IF_ERROR(finished);
  return summary;
}

}  // namespace plectl::experiment
