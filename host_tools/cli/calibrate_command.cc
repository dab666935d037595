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
#include "host_tools/cli/cpu_measurement.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/lab_request.h"
#include "host_tools/experiment/calibrator.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/guests/workload_check.h"
#include "host_tools/host/module_params.h"
#include "host_tools/output/calibration_report.h"

namespace plectl::cli {
namespace {

struct Options : CalibrateRequest {
  MeasurePlace place;
};

Result<experiment::CalibrationReport> Measure(CommandContext& context,
                                              const CalibrateRequest& options) {
  PLECTL_RETURN_IF_ERROR(guests::CheckRelaxTscCycles(options.measure.relax_tsc_cycles));
  PLECTL_ASSIGN_OR_RETURN(const guests::PayloadImage payloads, guests::EmbeddedPayloads());
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, host::LoadedModule(context.root));
  PLECTL_ASSIGN_OR_RETURN(const std::unique_ptr<experiment::Calibrator> calibrator,
                          MakeCalibrator(context, module, payloads, options.measure, "measuring"));
  Result<experiment::CalibrationReport> report = calibrator->Run(
      options.bodies, options.keep_params ? experiment::CalibrationDepth::kDistances
                                          : experiment::CalibrationDepth::kObservers);
  PLECTL_RETURN_IF_ERROR(calibrator->Finish());
  return report;
}

Status CalibrateHere(CommandContext& context, const CalibrateRequest& options) {
  PLECTL_ASSIGN_OR_RETURN(const experiment::CalibrationReport report, Measure(context, options));
  fmt::print("{}", options.measure.format == "json" ? output::CalibrationJson(report)
                                                    : output::CalibrationText(report));
  return OkStatus();
}

Result<int> CalibrateInLab(const Options& options) {
  CalibrateRequest request = static_cast<const CalibrateRequest&>(options);
  PLECTL_ASSIGN_OR_RETURN(request.measure, MeasureRequestInLab(options.measure, options.place));
  return RunLabCommand(options.place, {kCalibrateInLab, kCalibrateRequestFile, ToJson(request)});
}

Status CalibrateInside(CommandContext& context) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, ReadFile(kCalibrateRequestFile));
  PLECTL_ASSIGN_OR_RETURN(const CalibrateRequest request, CalibrateRequestFromJson(text));
  return CalibrateHere(context, request);
}

int Calibrate(CommandContext& context, const Options& options) {
  if (!options.place.in_lab) return ExitCodeOf(CalibrateHere(context, options));
  const Result<int> exit_code = CalibrateInLab(options);
  return exit_code ? *exit_code : ReportError(exit_code.error());
}

void AddOptions(CLI::App& command, Options& options) {
  constexpr uint64_t kBodyLoopsMax = 10'000;
  command
      .add_option("--body-loops", options.bodies,
                  "Loop bodies to measure: turns of an empty loop between two PAUSEs; repeatable")
      ->check(CLI::Range(uint64_t{0}, kBodyLoopsMax))
      ->expected(1)
      ->take_all();
  command.add_flag("--keep-params", options.keep_params,
                   "Reload nothing: predict the gaps, but do not look whether PLE fires there, nor "
                   "what observers cost");
  AddMeasureOptions(command, options.measure, options.place);
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
  command->callback([&context, options, command] {
    const Status fits = CheckLabOptionsHaveALab(*command, options->place.in_lab);
    context.exit_code = fits ? Calibrate(context, *options) : ExitCodeOf(fits);
  });
}

void AddLabCalibrateCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(std::string(kCalibrateInLab), "Calibrate inside the lab");
  command->group("");
  command->callback([&context] { context.exit_code = ExitCodeOf(CalibrateInside(context)); });
}

}  // namespace plectl::cli
