// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/sweep_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"
#include "host_tools/cli/choice_option.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/session_costs.h"
#include "host_tools/cli/sweep_endpoint.h"
#include "host_tools/cli/sweep_host.h"
#include "host_tools/cli/sweep_lab.h"
#include "host_tools/cli/sweep_options.h"
#include "host_tools/cli/wait_option.h"
#include "host_tools/experiment/dry_run.h"
#include "host_tools/experiment/sweep.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/guests/workload_check.h"
#include "host_tools/host/fingerprint.h"

namespace plectl::cli {
namespace {

experiment::DryRunForm FormOf(const SweepArguments& arguments) {
  if (arguments.json) return experiment::DryRunForm::kJson;
  return arguments.list ? experiment::DryRunForm::kTextWithTrials : experiment::DryRunForm::kText;
}

// What a sweep is about.
struct Job {
  const experiment::Plan& plan;
  const experiment::RemainingWork& work;
  const guests::PayloadImage& payloads;
  const SweepArguments& arguments;
};

Status SweepOnThisHost(CommandContext& context, const Job& job,
                       experiment::SweepProgress& progress) {
  const SweepArguments& arguments = job.arguments;
  const experiment::SweepOptions options{
      .directory = arguments.out,
      .attempts_max = arguments.attempts_max,
      .disturbed_repeats_max = arguments.disturbed_repeats_max,
      .describe_host = [&context] { return host::Fingerprint(context.root); }};
  const auto make_executor = [&]() {
    return MakeKvmExecutor(context, job.plan, job.payloads, arguments);
  };
  PLECTL_RETURN_IF_ERROR(
      experiment::RunSweep(job.plan, job.work, options, make_executor, progress));
  return OkStatus();
}

// Exit code 5 unless every trial of the plan has a valid record now.
Status CheckComplete(const SessionCosts& costs) {
  if (costs.missing() == 0) return OkStatus();
  return Inconclusive(fmt::format("{} trials could not be measured; the last one because: {}",
                                  costs.missing(), costs.last_invalid_because()),
                      "find the cause, then run the same command again: it goes on");
}

Status RunSweepThere(CommandContext& context, const Job& job, experiment::SweepProgress& progress,
                     const StopSignal& stop) {
  if (!job.arguments.in_lab) return SweepOnThisHost(context, job, progress);
  return SweepInLab(job.plan, job.work, job.arguments, progress, stop.fd());
}

// With an endpoint when --metrics-listen asks for one.
Status RunSweepServed(CommandContext& context, const Job& job, experiment::SweepProgress& progress,
                      const StopSignal& stop) {
  const SweepArguments& arguments = job.arguments;
  PLECTL_ASSIGN_OR_RETURN(const std::optional<metrics::ServerOptions> server,
                          ServerOptionsOf(arguments.metrics));
  if (!server) return RunSweepThere(context, job, progress, stop);
  PLECTL_ASSIGN_OR_RETURN(const std::unique_ptr<SweepEndpoint> endpoint,
                          SweepEndpoint::Start(*server, job.plan, job.work, progress));
  if (arguments.progress != ProgressStyle::kNone) {
    progress.OnNote(fmt::format("metrics: {}", endpoint->Url()));
  }
  Status swept = RunSweepThere(context, job, *endpoint, stop);
  endpoint->Finish(arguments.metrics_linger, stop.fd());
  return swept;
}

Status Measure(CommandContext& context, const Job& job) {
  const SweepArguments& arguments = job.arguments;
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  const double estimate_s =
      experiment::EstimateTime(job.plan, job.work.trials, job.work.costs).total_s;
  ProgressLine line(arguments.progress, static_cast<int64_t>(estimate_s * 1e9));
  SessionCosts costs(line);
  const Status swept = RunSweepServed(context, job, costs, stop);
  line.EndLine();
  if (const std::string text = costs.Text();
      !text.empty() && arguments.progress != ProgressStyle::kNone) {
    fmt::print(stderr, "{}\n", text);
  }
  PLECTL_RETURN_IF_ERROR(swept);
  return CheckComplete(costs);
}

// A plan's own lab_seeds against the command line.
Status ChooseLabSeeds(const SweepArguments& arguments, experiment::Plan& plan) {
  if (!plan.lab_seeds.empty() && arguments.lab_seed_given) {
    return BadInput(
        fmt::format("--lab-seed was given, but the plan {} has its own lab_seeds", plan.name),
        "leave --lab-seed out, or take lab_seeds out of the plan");
  }
  if (arguments.only_lab_seed) {
    return experiment::KeepOnlyLabSeed(*arguments.only_lab_seed, plan);
  }
  if (plan.lab_seeds.empty() || arguments.in_lab) return OkStatus();
  return BadInput(fmt::format("the plan {} has lab_seeds, and only the lab has seeds", plan.name),
                  "use --host lab; for a real host use blocks instead");
}

Status CheckPerfControl(const SweepArguments& arguments) {
  if (!arguments.perf_control || !arguments.in_lab) return OkStatus();
  return BadInput("--perf-control names FIFOs of this machine, but the sweep runs in the lab",
                  "run perf and 'plectl sweep' in it: plectl lab exec (plectl docs perf)");
}

Status CheckPlace(const SweepArguments& arguments) {
  std::error_code error;
  const std::filesystem::file_status out = std::filesystem::status(arguments.out, error);
  if (std::filesystem::exists(out) && !std::filesystem::is_directory(out)) {
    return BadInput(fmt::format("--out {} is no folder", arguments.out.string()),
                    "give the folder that the run shall have, or has");
  }
  if (!arguments.out.empty() || arguments.dry_run) return OkStatus();
  return BadInput("--out is required: the folder that the run shall have",
                  fmt::format("plectl sweep {} --out DIR, or --dry-run to see what it would do",
                              arguments.plan_path.string()));
}

Status Sweep(CommandContext& context, SweepArguments& arguments) {
  PLECTL_RETURN_IF_ERROR(CheckPlace(arguments));
  if (arguments.in_lab) PLECTL_RETURN_IF_ERROR(lab::CheckLabOptions(arguments.lab));
  if (!arguments.perf_control_text.empty()) {
    PLECTL_ASSIGN_OR_RETURN(arguments.perf_control,
                            host::ParsePerfControl(arguments.perf_control_text));
  }
  PLECTL_RETURN_IF_ERROR(CheckPerfControl(arguments));
  PLECTL_RETURN_IF_ERROR(ServerOptionsOf(arguments.metrics));
  PLECTL_RETURN_IF_ERROR(guests::CheckRelaxTscCycles(arguments.relax_tsc_cycles));
  PLECTL_ASSIGN_OR_RETURN(const guests::PayloadImage payloads,
                          arguments.payload_elf.empty()
                              ? guests::EmbeddedPayloads()
                              : guests::LoadPayloads(arguments.payload_elf));
  PLECTL_ASSIGN_OR_RETURN(experiment::Plan plan,
                          experiment::LoadPlan(arguments.plan_path, payloads));
  PLECTL_RETURN_IF_ERROR(ChooseLabSeeds(arguments, plan));
  // Found before anything is started: a run log of another plan is bad input.
  PLECTL_ASSIGN_OR_RETURN(
      const experiment::RemainingWork work,
      experiment::FindRemainingWork(
          plan, arguments.out,
          arguments.metrics.listen ? experiment::KeepTotals::kYes : experiment::KeepTotals::kNo));
  const experiment::Manifest before =
      work.manifests.empty() ? experiment::Manifest() : work.manifests.front();
  PLECTL_RETURN_IF_ERROR(host::CheckObserverOptions(arguments.observers, before.observers));
  for (const std::string& note : work.notes) fmt::print(stderr, "note: {}\n", note);
  if (!arguments.dry_run) return Measure(context, {plan, work, payloads, arguments});
  if (!arguments.in_lab) PLECTL_RETURN_IF_ERROR(CheckPlanOnThisHost(context.root, plan));
  fmt::print("{}", experiment::DescribeDryRun(plan, work, FormOf(arguments)));
  return OkStatus();
}

// What SweepInLab() has asked for.
Status SweepInside(CommandContext& context) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, ReadFile(kSweepRequestFile));
  SweepArguments arguments;
  PLECTL_ASSIGN_OR_RETURN(static_cast<SweepRequest&>(arguments), SweepRequestFromJson(text));
  arguments.plan_path = kPlanInLab;
  arguments.out = kRunInLab;
  arguments.progress = ProgressStyle::kNone;
  return Sweep(context, arguments);
}

const Choices<host::ObserverChoice>& ObserverChoices() {
  static const Choices<host::ObserverChoice> choices = {
      {"auto", host::ObserverChoice::kAuto},
      {"bpf", host::ObserverChoice::kBpf},
      {"perf", host::ObserverChoice::kPerf},
      {"pause-only", host::ObserverChoice::kPauseOnly},
      {"none", host::ObserverChoice::kNone}};
  return choices;
}

// For programs, which cannot rely on the form of the help. Ends the parsing, as --version does.
void PrintObservers() {
  std::string names;
  for (const auto& choice : ObserverChoices()) {
    names += (names.empty() ? "" : "\n") + choice.first;
  }
  throw CLI::CallForVersion(names, 0);
}

void AddObserverOptions(CLI::App& command, SweepArguments& arguments) {
  AddChoice(command, "--observer", arguments.observers.choice, ObserverChoices(),
            "How exits are counted: auto (BPF, else perf), bpf, perf, pause-only (other exits "
            "then cost nothing), or none: only by KVM");
  command
      .add_flag_callback("--list-observers", &PrintObservers,
                         "Print the names that --observer takes, one a line, and end")
      ->trigger_on_parse();
  AddChoice(
      command, "--check-observer", arguments.observers.check,
      {{"controls", host::CheckTrials::kControls}, {"every-trial", host::CheckTrials::kEvery}},
      "Which trials a second, independent observer watches too, which makes their PAUSE "
      "exits dearer");
  command.add_option_function<std::string>(
      "--observe",
      [&arguments](const std::string& list) {
        Result<host::ObserverDetails> details = host::ParseDetails(list);
        if (!details) throw CLI::ValidationError(details.error().Text());
        arguments.observers.details = *details;
      },
      fmt::format("What to record besides the counts, at a cost for each exit "
                  "(plectl docs observers): LIST of {}",
                  host::AllDetailNames()));
  command
      .add_option(
          "--break-observer", arguments.observers.check_drops_every_nth,
          "For tests: the check observer misses every Nth PAUSE exit, so trials are invalid; needs "
          "--check-observer every-trial")
      ->check(CLI::Range(uint64_t{1}, uint64_t{UINT32_MAX}));
  command
      .add_option("--perf-control", arguments.perf_control_text,
                  "Switch a perf that runs beside it on during each trial's measured part: the "
                  "FIFOs of its own -D -1 --control=fifo:CTL,ACK")
      ->type_name("CTL,ACK");
}

void AddProgressOption(CLI::App& command, SweepArguments& arguments) {
  arguments.progress = DefaultProgressStyle();
  AddChoice(command, "--progress", arguments.progress,
            {{"auto", DefaultProgressStyle()},
             {"plain", ProgressStyle::kPlain},
             {"none", ProgressStyle::kNone}},
            "auto, plain, or none: no progress and no summary of the costs");
}

void AddEndpointOptions(CLI::App& command, SweepArguments& arguments) {
  CLI::Option* listen = AddMetricsOptions(command, arguments.metrics);
  command
      .add_option_function<uint32_t>(
          "--metrics-linger",
          [&arguments](const uint32_t& seconds) {
            arguments.metrics_linger = std::chrono::seconds(seconds);
          },
          "At the end wait so long for a scrape of the last results")
      ->check(CLI::Range(0, 3600))
      ->type_name("SECONDS")
      ->needs(listen);
}

void AddPlaceOptions(CLI::App& command, SweepArguments& arguments) {
  command.add_option("plan", arguments.plan_path, "The plan, YAML (plectl docs plan_format)")
      ->required();
  command.add_option("--out", arguments.out,
                     "The run's folder; DIR/run.jsonl is appended to. Required but for --dry-run");
  command
      .add_option_function<std::string>(
          "--host", [&arguments](const std::string& host) { arguments.in_lab = host == "lab"; },
          "Where to measure: local (needs root), or lab (the emulated host)")
      ->check(CLI::IsMember({"local", "lab"}));
  AddWaitOption(command, arguments.wait);
  command.add_option("--attempts", arguments.attempts_max, "Tries per trial before it is given up")
      ->check(CLI::Range(1, 100));
  command
      .add_option(
          "--disturbed-repeats", arguments.disturbed_repeats_max,
          "Repeats of a trial that the host disturbed (plectl docs noise) before it is kept as "
          "disturbed; 0: never repeat")
      ->check(CLI::Range(0, 100));
  command.add_option("--payload-elf", arguments.payload_elf,
                     "Run this guest ELF instead of the built-in one (plectl docs guest)");
  command
      .add_option("--relax-tsc-cycles", arguments.relax_tsc_cycles,
                  "What each relax instruction costs, for the lab's CPU profiles; on silicon it "
                  "would measure nothing")
      ->group("");
}

}  // namespace

void AddSweepCommand(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<SweepArguments>();
  CLI::App* command = app.add_subcommand(
      "sweep", "Run a plan: reload the KVM module for every point, run guests, count their exits");
  AddPlaceOptions(*command, *arguments);
  AddObserverOptions(*command, *arguments);
  AddProgressOption(*command, *arguments);
  AddEndpointOptions(*command, *arguments);
  AddLabOptions(*command, arguments->lab);
  AddLabDiskOption(*command, arguments->lab);
  AddLabKernelArgumentsOption(*command, arguments->lab);
  command
      ->add_option("--only-lab-seed", arguments->only_lab_seed,
                   "Run the trials of one of the plan's lab_seeds only")
      ->group("");  // hidden: for tests
  command->add_flag("--dry-run", arguments->dry_run,
                    "Print how many trials and reloads there are and the time they take; change "
                    "nothing");
  command->add_flag("--list", arguments->list, "Of --dry-run: each trial, in its order");
  command
      ->add_option_function<std::string>(
          "--format",
          [arguments](const std::string& format) { arguments->json = format == "json"; },
          "Of --dry-run: text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command->footer(
      "Example: plectl docs quickstart.yaml >plan.yaml\n"
      "         plectl sweep plan.yaml --host lab --out runs/first\n"
      "An interrupted sweep goes on where it stopped when it is run again.");
  command->callback([&context, arguments, command] {
    arguments->lab_seed_given = command->count("--lab-seed") > 0;
    const Status fits = CheckLabOptionsHaveALab(*command, arguments->in_lab);
    context.exit_code = ExitCodeOf(fits ? Sweep(context, *arguments) : fits);
  });
}

void AddLabSweepCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(std::string(kSweepInLab), "Sweep inside the lab");
  command->group("");
  command->callback([&context] { context.exit_code = ExitCodeOf(SweepInside(context)); });
}

}  // namespace plectl::cli
