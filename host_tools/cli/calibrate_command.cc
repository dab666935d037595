// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/calibrate_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"
#include "host_tools/cli/command.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/lab_printer.h"
#include "host_tools/cli/lab_request.h"
#include "host_tools/cli/wait_option.h"
#include "host_tools/experiment/calibrator.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/guests/vmm_runner.h"
#include "host_tools/guests/workload_check.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/lab/lab.h"
#include "host_tools/output/calibration_report.h"

namespace plectl::cli {
namespace {

struct Options : CalibrateRequest {
  bool in_lab = false;
  lab::LabOptions lab;
};

Result<experiment::CalibrationReport> Measure(CommandContext& context,
                                              const CalibrateRequest& options) {
  PLECTL_RETURN_IF_ERROR(guests::CheckRelaxTscCycles(options.relax_tsc_cycles));
  PLECTL_ASSIGN_OR_RETURN(const guests::PayloadImage payloads, guests::EmbeddedPayloads());
  PLECTL_ASSIGN_OR_RETURN(auto loader, host::MakeKmodLoader(context.root));
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, host::LoadedModule(context.root));
  PLECTL_ASSIGN_OR_RETURN(host::ParamSession params,
                          host::ParamSession::Begin(context.root, module, std::move(loader)));
  params.WaitForOthers(options.wait);
  experiment::Calibrator calibrator(
      {.root = context.root,
       .module = module,
       .params = std::move(params),
       .runner = std::make_unique<guests::VmmRunner>(payloads),
       .relax_tsc_cycles = options.relax_tsc_cycles,
       .cpu = options.cpu,
       .on_step = [](std::string_view what) { fmt::print(stderr, "measuring {}\n", what); }});
  Result<experiment::CalibrationReport> report = calibrator.Run(
      options.bodies, options.keep_params ? experiment::CalibrationDepth::kDistances
                                          : experiment::CalibrationDepth::kObservers);
  PLECTL_RETURN_IF_ERROR(calibrator.Finish());
  return report;
}

Status CalibrateHere(CommandContext& context, const CalibrateRequest& options) {
  PLECTL_ASSIGN_OR_RETURN(const experiment::CalibrationReport report, Measure(context, options));
  fmt::print("{}", options.format == "json" ? output::CalibrationJson(report)
                                            : output::CalibrationText(report));
  return OkStatus();
}

Result<int> CalibrateInLab(const Options& options) {
  CalibrateRequest request = static_cast<const CalibrateRequest&>(options);
  PLECTL_ASSIGN_OR_RETURN(request.relax_tsc_cycles,
                          RelaxTscCyclesInLab(options.relax_tsc_cycles, options.lab));
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  lab::LabOptions lab_options = options.lab;
  lab_options.stop_fd = stop.fd();
  lab::LabJob job;
  job.argv = {"plectl", std::string(kCalibrateInLab)};
  job.files.emplace(kCalibrateRequestFile, ToJson(request));
  LabPrinter printer({.console = false, .machine = false, .json = false});
  PLECTL_ASSIGN_OR_RETURN(const lab::LabOutcome outcome, lab::RunInLab(lab_options, job, printer));
  return outcome.exit_code;
}

Status CalibrateInside(CommandContext& context) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, ReadFile(kCalibrateRequestFile));
  PLECTL_ASSIGN_OR_RETURN(const CalibrateRequest request, CalibrateRequestFromJson(text));
  return CalibrateHere(context, request);
}

int Calibrate(CommandContext& context, const Options& options) {
  if (!options.in_lab) return ExitCodeOf(CalibrateHere(context, options));
  const Result<int> exit_code = CalibrateInLab(options);
  return exit_code ? *exit_code : ReportError(exit_code.error());
}

void AddOptions(CLI::App& command, Options& options) {
  constexpr uint64_t kBodyLoopsMax = 10'000;
  command
      .add_option_function<std::string>(
          "--host", [&options](const std::string& host) { options.in_lab = host == "lab"; },
          "Where to measure: local (needs root), or lab (the emulated host)")
      ->check(CLI::IsMember({"local", "lab"}));
  command.add_option("--cpu", options.cpu, "The host CPU that the guests run on")
      ->check(CLI::Range(0, 1023))
      ->capture_default_str();
  command
      .add_option("--body-loops", options.bodies,
                  "Loop bodies to measure: turns of an empty loop between two PAUSEs; repeatable")
      ->check(CLI::Range(uint64_t{0}, kBodyLoopsMax))
      ->expected(1)
      ->take_all();
  command.add_flag("--keep-params", options.keep_params,
                   "Reload nothing: predict the gaps, but do not look whether PLE fires there, nor "
                   "what observers cost");
  command.add_option("--format", options.format, "text or json")
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

void AddCalibrateCommand(CLI::App& app, CommandContext& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "calibrate", "Measure what a PAUSE costs, at which gap PLE fires, and what observing costs");
  AddOptions(*command, *options);
  command->footer(
      "Reloads the KVM module for each gap that it tries, and restores it.\n"
      "Example: plectl calibrate --host lab --lab-cpu skylake-client");
  command->callback([&context, options] { context.exit_code = Calibrate(context, *options); });
}

void AddLabCalibrateCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(std::string(kCalibrateInLab), "Calibrate inside the lab");
  command->group("");
  command->callback([&context] { context.exit_code = ExitCodeOf(CalibrateInside(context)); });
}

}  // namespace plectl::cli
