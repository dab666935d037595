// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/sweep_lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/experiment/json_fields.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/lab/lab.h"

namespace plectl::cli {
namespace {

constexpr std::string_view kPlanInLab = "/job/plan.yaml";
constexpr std::string_view kRunInLab = "/job/run";
constexpr std::string_view kLogInLab = "/job/run/run.jsonl";
constexpr std::string_view kPayloadInLab = "/job/payload.elf";

// Appends what leaves the lab to the run log outside. The lab is not trusted: each line is parsed
// first, and what is written is what was understood.
class RunLogLander : public lab::LabObserver {
 public:
  RunLogLander(experiment::RunLogWriter& writer, experiment::SweepProgress& progress)
      : writer_(writer), progress_(progress) {}

  void OnProgress(std::string_view text) override { fmt::print(stderr, "{}\n", text); }

  Status OnBooted(const lab::LabHello& /*hello*/, std::chrono::milliseconds boot_time) override {
    fmt::print(stderr, "the lab is up after {:.1f} s\n",
               static_cast<double>(boot_time.count()) / 1000);
    return OkStatus();
  }

  Status OnStderr(std::string_view bytes) override {
    fmt::print(stderr, "{}", bytes);
    return OkStatus();
  }

  Status OnRecord(std::string_view line) override {
    PLECTL_ASSIGN_OR_RETURN(const nlohmann::json json, experiment::ParseJsonObject(line));
    PLECTL_ASSIGN_OR_RETURN(const experiment::JsonFields fields,
                            experiment::JsonFields::Of(json, "record of the lab"));
    PLECTL_ASSIGN_OR_RETURN(const std::string kind, fields.Text("kind"));
    if (kind == "manifest") {
      PLECTL_ASSIGN_OR_RETURN(const experiment::Manifest manifest,
                              experiment::ManifestFromJson(json));
      return writer_.Append(manifest);
    }
    PLECTL_ASSIGN_OR_RETURN(const experiment::TrialRecord record, experiment::TrialFromJson(json));
    PLECTL_RETURN_IF_ERROR(writer_.Append(record));
    progress_.OnRecord(record);
    return OkStatus();
  }

 private:
  experiment::RunLogWriter& writer_;
  experiment::SweepProgress& progress_;
};

std::string ObserverChoiceText(host::ObserverChoice choice) {
  if (choice == host::ObserverChoice::kAuto) return "auto";
  if (choice == host::ObserverChoice::kNone) return "none";
  return choice == host::ObserverChoice::kBpf ? "bpf" : "perf";
}

// The options that the sweep inside gets too.
std::vector<std::string> InnerCommand(const SweepArguments& arguments) {
  std::vector<std::string> argv = {"plectl",
                                   "sweep",
                                   std::string(kPlanInLab),
                                   "--out",
                                   std::string(kRunInLab),
                                   "--progress",
                                   "none",
                                   "--attempts",
                                   std::to_string(arguments.attempts_max),
                                   "--observer",
                                   ObserverChoiceText(arguments.observers.choice)};
  if (arguments.observers.check_drops_every_nth > 0) {
    argv.insert(argv.end(),
                {"--break-observer", std::to_string(arguments.observers.check_drops_every_nth)});
  }
  if (!arguments.payload_elf.empty()) {
    argv.insert(argv.end(), {"--payload-elf", std::string(kPayloadInLab)});
  }
  return argv;
}

Result<lab::LabJob> MakeJob(const experiment::Plan& plan, const SweepArguments& arguments) {
  lab::LabJob job;
  job.argv = InnerCommand(arguments);
  job.files.emplace(kPlanInLab, plan.text);
  // Also when it is empty: then the lab's run is a new one.
  PLECTL_ASSIGN_OR_RETURN(std::string log, ReadFile(arguments.out / "run.jsonl"));
  job.files.emplace(kLogInLab, std::move(log));
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
                           int stop_fd) {
  constexpr uint64_t kSlowestInstructionsPerS = 30'000'000;
  lab::LabOptions options = arguments.lab;
  const uint64_t trial_instructions = plan.deadline_ms * options.instructions_per_s / 1000;
  const std::chrono::seconds longest_trial(trial_instructions / kSlowestInstructionsPerS + 60);
  options.deadlines.silence = std::max(options.deadlines.silence, longest_trial);
  options.stop_fd = stop_fd;
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

}  // namespace

Status SweepInLab(const experiment::Plan& plan, const SweepArguments& arguments,
                  experiment::SweepProgress& progress, int stop_fd) {
  PLECTL_ASSIGN_OR_RETURN(const experiment::RemainingWork work,
                          experiment::FindRemainingWork(plan, arguments.out));
  progress.OnStart(work.finished, work.finished + work.trials.size());
  if (work.trials.empty()) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(experiment::RunLogWriter writer,
                          experiment::RunLogWriter::Open(arguments.out));
  PLECTL_ASSIGN_OR_RETURN(const lab::LabJob job, MakeJob(plan, arguments));
  RunLogLander lander(writer, progress);
  PLECTL_ASSIGN_OR_RETURN(const lab::LabOutcome outcome,
                          lab::RunInLab(OptionsFor(plan, arguments, stop_fd), job, lander));
  return StatusOfInner(outcome.exit_code);
}

}  // namespace plectl::cli
