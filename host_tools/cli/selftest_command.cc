// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/selftest_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/base/stop.h"
#include "host_tools/cli/command.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/lab_printer.h"
#include "host_tools/cli/sweep_host.h"
#include "host_tools/cli/wait_option.h"
#include "host_tools/experiment/selftest.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/guests/vmm_runner.h"
#include "host_tools/guests/workload_check.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/lab/lab.h"
#include "host_tools/output/selftest_report.h"

namespace plectl::cli {
namespace {

struct Options {
  bool in_lab = false;
  int cpu = 0;
  std::string format = "text";
  uint64_t relax_tsc_cycles = 0;
  std::chrono::seconds wait{0};
  lab::LabOptions lab;
};

void SayStep(std::string_view what) { fmt::print(stderr, "trying {}\n", what); }

Result<std::unique_ptr<experiment::Calibrator>> MakeCalibrator(const HostRoot& root,
                                                               host::KvmModule module,
                                                               const guests::PayloadImage& payloads,
                                                               const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(auto loader, host::MakeKmodLoader(root));
  PLECTL_ASSIGN_OR_RETURN(host::ParamSession params,
                          host::ParamSession::Begin(root, module, std::move(loader)));
  params.WaitForOthers(options.wait);
  return std::make_unique<experiment::Calibrator>(
      experiment::CalibratorParts{.root = root,
                                  .module = module,
                                  .params = std::move(params),
                                  .runner = std::make_unique<guests::VmmRunner>(payloads),
                                  .relax_tsc_cycles = options.relax_tsc_cycles,
                                  .cpu = options.cpu,
                                  .on_step = SayStep});
}

// Both observers in every trial: three witnesses.
SweepArguments ArgumentsOf(const Options& options) {
  SweepArguments arguments;
  arguments.wait = options.wait;
  arguments.relax_tsc_cycles = options.relax_tsc_cycles;
  arguments.observers.check = host::CheckTrials::kEvery;
  return arguments;
}

Result<experiment::SelftestReport> TryHost(CommandContext& context, const Options& options) {
  PLECTL_RETURN_IF_ERROR(guests::CheckRelaxTscCycles(options.relax_tsc_cycles));
  if (!context.root.is_real()) {
    return BadInput("the self-test tries a CPU: a recorded host has none", "leave --host-root out");
  }
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, host::LoadedModule(context.root));
  if (::geteuid() != 0) {
    return Environment("the self-test reloads the KVM module, which only root may do",
                       "run: sudo plectl selftest");
  }
  PLECTL_ASSIGN_OR_RETURN(const guests::PayloadImage payloads, guests::EmbeddedPayloads());
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  const SweepArguments arguments = ArgumentsOf(options);
  return experiment::RunSelftest(
      {.root = context.root,
       .module = module,
       .payloads = payloads,
       .cpu = options.cpu,
       .make_calibrator = [&] { return MakeCalibrator(context.root, module, payloads, options); },
       .make_executor =
           [&](const experiment::Plan& plan) {
             return MakeKvmExecutor(context, plan, payloads, arguments);
           },
       .on_step = SayStep});
}

Result<int> SelftestHere(CommandContext& context, const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(const experiment::SelftestReport report, TryHost(context, options));
  fmt::print(
      "{}", options.format == "json" ? output::SelftestJson(report) : output::SelftestText(report));
  return experiment::SelftestExitCode(report.checks);
}

// The same command inside.
Result<int> SelftestInLab(const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  lab::LabOptions lab_options = options.lab;
  lab_options.stop_fd = stop.fd();
  lab::LabJob job;
  job.argv = {"plectl",   "selftest",
              "--format", options.format,
              "--cpu",    std::to_string(options.cpu),
              "--wait",   std::to_string(options.wait.count())};
  if (options.lab.profile) {
    const uint64_t cycles = options.lab.profile->pause_tsc_cycles;
    job.argv.insert(job.argv.end(), {"--relax-tsc-cycles", std::to_string(cycles)});
  }
  LabPrinter printer({.console = false, .machine = false, .json = false});
  PLECTL_ASSIGN_OR_RETURN(const lab::LabOutcome outcome, lab::RunInLab(lab_options, job, printer));
  return outcome.exit_code;
}

int RunSelftestCommand(CommandContext& context, const Options& options) {
  const Result<int> exit_code =
      options.in_lab ? SelftestInLab(options) : SelftestHere(context, options);
  return exit_code ? *exit_code : ReportError(exit_code.error());
}

void AddOptions(CLI::App& command, Options& options) {
  command
      .add_option_function<std::string>(
          "--host", [&options](const std::string& host) { options.in_lab = host == "lab"; },
          "What to try: local (needs root), or lab (the emulated host)")
      ->check(CLI::IsMember({"local", "lab"}));
  command.add_option("--cpu", options.cpu, "The host CPU that the guests run on")
      ->check(CLI::Range(0, 1023))
      ->capture_default_str();
  command.add_option("--format", options.format, "text or json (to attach to a report)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command
      .add_option("--relax-tsc-cycles", options.relax_tsc_cycles,
                  "What each relax instruction costs, for the lab's CPU profiles")
      ->group("");
  AddWaitOption(command, options.wait);
  AddLabOptions(command, options.lab);
}

}  // namespace

void AddSelftestCommand(CLI::App& app, CommandContext& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "selftest", "Try whether what plectl assumes of a CPU and a kernel holds on this host");
  AddOptions(*command, *options);
  command->footer(
      "Takes some minutes at most, reloads the KVM module and restores it.\n"
      "Exit codes: 0 all holds; 1 something does not; 5 it could not be tried.\n"
      "Example: sudo plectl selftest --format json > selftest.json");
  command->callback(
      [&context, options] { context.exit_code = RunSelftestCommand(context, *options); });
}

}  // namespace plectl::cli
