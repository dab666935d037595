// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/sweep_lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/run_log_lander.h"
#include "host_tools/experiment/host_identity.h"
#include "host_tools/experiment/replicates.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/lab/lab.h"
#include "host_tools/lab/plan_check.h"
#include "host_tools/lab/self_test.h"

namespace plectl::cli {
namespace {

constexpr std::string_view kLogInLab = "/job/run/run.jsonl";
constexpr std::string_view kPayloadInLab = "/job/payload.elf";

// The same request, with what the inside alone knows.
Result<SweepRequest> RequestFor(const SweepArguments& arguments, std::optional<uint64_t> lab_seed) {
  SweepRequest request = static_cast<const SweepRequest&>(arguments);
  PLECTL_ASSIGN_OR_RETURN(request.relax_tsc_cycles,
                          RelaxTscCyclesInLab(arguments.relax_tsc_cycles, arguments.lab));
  if (!arguments.payload_elf.empty()) request.payload_elf = kPayloadInLab;
  request.only_lab_seed = lab_seed;
  return request;
}

Result<lab::LabJob> MakeJob(const experiment::Plan& plan, const experiment::RemainingWork& work,
                            const SweepArguments& arguments, std::optional<uint64_t> lab_seed) {
  lab::LabJob job;
  job.argv = {"plectl", std::string(kSweepInLab)};
  PLECTL_ASSIGN_OR_RETURN(const SweepRequest request, RequestFor(arguments, lab_seed));
  job.files.emplace(kSweepRequestFile, ToJson(request));
  job.files.emplace(kPlanInLab, plan.text);
  job.files.emplace(kLogInLab, experiment::LogOfReplicate(work, lab_seed));
  if (!arguments.payload_elf.empty()) {
    PLECTL_ASSIGN_OR_RETURN(std::string elf, ReadFile(arguments.payload_elf));
    job.files.emplace(kPayloadInLab, std::move(elf));
  }
  job.follow_file = kLogInLab;
  return job;
}

// No frame arrives while a trial runs: the limit on silence must be longer than any trial. The
// slowest machines seen emulate some 30 million instructions a second.
lab::LabOptions OptionsFor(const experiment::Plan& plan, const SweepArguments& arguments,
                           std::optional<uint64_t> lab_seed, int stop_fd) {
  constexpr uint64_t kSlowestInstructionsPerS = 30'000'000;
  lab::LabOptions options = arguments.lab;
  const uint64_t trial_ms = plan.deadline_ms + 1000 * static_cast<uint64_t>(arguments.wait.count());
  const uint64_t trial_instructions = trial_ms * options.instructions_per_s / 1000;
  const std::chrono::seconds longest_trial(trial_instructions / kSlowestInstructionsPerS + 60);
  options.deadlines.silence = std::max(options.deadlines.silence, longest_trial);
  options.stop_fd = stop_fd;
  options.seed = lab_seed.value_or(options.seed);
  return options;
}

// The inner plectl has said on stderr what went wrong; its exit code says what kind it was.
Status StatusOfInner(int exit_code) {
  if (exit_code == 0) return OkStatus();
  Error error{ErrorKind::kInternal,
              fmt::format("plectl inside the lab ended with exit code {}", exit_code),
              "see its message above"};
  for (const ErrorKind kind :
       {ErrorKind::kBadInput, ErrorKind::kEnvironment, ErrorKind::kInconclusive}) {
    if (exit_code == static_cast<int>(kind)) error.kind = kind;
  }
  return Fail(std::move(error));
}

// Shows what takes long while the emulator is tested.
class SelfTestProgress final : public lab::LabObserver {
 public:
  explicit SelfTestProgress(experiment::SweepProgress& progress) : progress_(progress) {}
  void OnProgress(std::string_view text) override { progress_.OnNote(text); }

 private:
  experiment::SweepProgress& progress_;
};

// The lab's options, with as many CPUs as the plan needs unless the user said how many.
Result<lab::LabOptions> WithCpus(const experiment::Plan& plan, lab::LabOptions options) {
  PLECTL_ASSIGN_OR_RETURN(const uint32_t cpus, lab::CpusFor(plan));
  if (options.cpus == 0) options.cpus = cpus;
  PLECTL_RETURN_IF_ERROR(lab::CheckLabCpus(plan, options));
  PLECTL_RETURN_IF_ERROR(lab::CheckLabOptions(options));
  return options;
}

// Before anything is called finished or goes on: it must be the lab that the run was started in.
Status CheckSameLab(const experiment::Plan& plan, const experiment::Manifest& before,
                    const lab::LabOptions& options, experiment::SweepProgress& progress) {
  const auto tell = [&](std::string_view text) { progress.OnNote(text); };
  PLECTL_ASSIGN_OR_RETURN(const nlohmann::json host, lab::DescribeLab(options, tell));
  return experiment::CheckSameHost(before, host, experiment::LabSeedRuleOf(plan));
}

// Whether the emulator can do what the plan asks. Builds the lab and tests the emulator if need be.
Status CheckEngine(const experiment::Plan& plan, lab::LabOptions options,
                   experiment::SweepProgress& progress, int stop_fd) {
  SelfTestProgress observer(progress);
  options.stop_fd = stop_fd;
  PLECTL_ASSIGN_OR_RETURN(const lab::EngineFacts facts, lab::EnsureEngineFacts(options, observer));
  return lab::CheckPlanForLab(plan, options, facts);
}

// One lab after the other, one for each seed.
class LabSweep {
 public:
  LabSweep(const experiment::Plan& plan, const experiment::RemainingWork& work,
           const SweepArguments& arguments, experiment::SweepProgress& progress,
           RunLogLander& lander, int stop_fd)
      : plan_(plan),
        work_(work),
        arguments_(arguments),
        progress_(progress),
        lander_(lander),
        stop_fd_(stop_fd) {}

  Status Run(const std::vector<std::optional<uint64_t>>& lab_seeds) {
    Status last_failure = OkStatus();
    for (size_t i = 0; i < lab_seeds.size(); ++i) {
      PLECTL_RETURN_IF_ERROR(CheckNotStopped());
      if (const auto& seed = lab_seeds[i]) {
        progress_.OnNote(fmt::format("lab seed {} ({} of {})", *seed, i + 1, lab_seeds.size()));
      }
      PLECTL_ASSIGN_OR_RETURN(const int exit_code, RunLab(lab_seeds[i]));
      Status swept = StatusOfInner(exit_code);
      if (swept) continue;
      // Trials that could not be measured do not keep the other seeds from theirs.
      if (swept.error().kind != ErrorKind::kInconclusive) return swept;
      last_failure = std::move(swept);
    }
    return last_failure;
  }

 private:
  Result<int> RunLab(std::optional<uint64_t> lab_seed) {
    PLECTL_ASSIGN_OR_RETURN(const lab::LabJob job, MakeJob(plan_, work_, arguments_, lab_seed));
    lander_.Expect(lab_seed);
    PLECTL_ASSIGN_OR_RETURN(
        const lab::LabOutcome outcome,
        lab::RunInLab(OptionsFor(plan_, arguments_, lab_seed, stop_fd_), job, lander_));
    return outcome.exit_code;
  }

  const experiment::Plan& plan_;
  const experiment::RemainingWork& work_;
  const SweepArguments& arguments_;
  experiment::SweepProgress& progress_;
  RunLogLander& lander_;
  int stop_fd_;
};

}  // namespace

Status SweepInLab(const experiment::Plan& plan, const experiment::RemainingWork& work,
                  const SweepArguments& arguments, experiment::SweepProgress& progress,
                  int stop_fd) {
  SweepArguments checked = arguments;
  PLECTL_ASSIGN_OR_RETURN(checked.lab, WithCpus(plan, arguments.lab));
  if (!work.manifests.empty()) {
    PLECTL_RETURN_IF_ERROR(CheckSameLab(plan, work.manifests.front(), checked.lab, progress));
  }
  progress.OnStart(work.finished, work.finished + work.trials.size());
  if (work.trials.empty()) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(experiment::RunLogWriter writer,
                          experiment::RunLogWriter::Open(arguments.out));
  PLECTL_RETURN_IF_ERROR(CheckEngine(plan, checked.lab, progress, stop_fd));
  RunLogLander lander(plan, work, writer, progress);
  return LabSweep(plan, work, checked, progress, lander, stop_fd)
      .Run(experiment::LabSeedsOf(work.trials));
}

}  // namespace plectl::cli
