// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/cpu_measurement.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "host_tools/base/stop.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/lab_printer.h"
#include "host_tools/cli/wait_option.h"
#include "host_tools/guests/vmm_runner.h"
#include "host_tools/guests/workload_check.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/lab/lab.h"

namespace plectl::cli {

void AddMeasureOptions(CLI::App& command, MeasureRequest& request, MeasurePlace& place) {
  constexpr int kCpuMax = 1023;
  command
      .add_option_function<std::string>(
          "--host", [&place](const std::string& host) { place.in_lab = host == "lab"; },
          "Where to measure: local (needs root), or lab (the emulated host)")
      ->check(CLI::IsMember({"local", "lab"}));
  command.add_option("--cpu", request.cpu, "The host CPU that the guests run on")
      ->check(CLI::Range(0, kCpuMax))
      ->capture_default_str();
  command.add_option("--format", request.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command
      .add_option("--relax-tsc-cycles", request.relax_tsc_cycles,
                  "What each relax instruction costs, for the lab's CPU profiles")
      ->group("");
  AddWaitOption(command, request.wait);
  AddLabOptions(command, place.lab);
}

Result<std::unique_ptr<experiment::Calibrator>> MakeCalibrator(const CommandContext& context,
                                                               host::KvmModule module,
                                                               const guests::PayloadImage& payloads,
                                                               const MeasureRequest& request,
                                                               std::string_view verb) {
  PLECTL_RETURN_IF_ERROR(guests::CheckRelaxTscCycles(request.relax_tsc_cycles));
  PLECTL_ASSIGN_OR_RETURN(auto loader, host::MakeKmodLoader(context.root));
  PLECTL_ASSIGN_OR_RETURN(host::ParamSession params,
                          host::ParamSession::Begin(context.root, module, std::move(loader)));
  params.WaitForOthers(request.wait);
  return std::make_unique<experiment::Calibrator>(
      experiment::CalibratorParts{.root = context.root,
                                  .module = module,
                                  .params = std::move(params),
                                  .runner = std::make_unique<guests::VmmRunner>(payloads),
                                  .relax_tsc_cycles = request.relax_tsc_cycles,
                                  .cpu = request.cpu,
                                  .on_step = [verb = std::string(verb)](std::string_view what) {
                                    fmt::print(stderr, "{} {}\n", verb, what);
                                  }});
}

Result<MeasureRequest> MeasureRequestInLab(const MeasureRequest& request,
                                           const MeasurePlace& place) {
  MeasureRequest inside = request;
  PLECTL_ASSIGN_OR_RETURN(inside.relax_tsc_cycles,
                          RelaxTscCyclesInLab(request.relax_tsc_cycles, place.lab));
  return inside;
}

Result<int> RunLabCommand(const MeasurePlace& place, LabCommand command) {
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  lab::LabOptions options = place.lab;
  options.stop_fd = stop.fd();
  lab::LabJob job;
  job.argv = {"plectl", std::string(command.name)};
  job.files.emplace(command.request_file, std::move(command.request));
  LabPrinter printer({.console = false, .machine = false, .json = false});
  PLECTL_ASSIGN_OR_RETURN(const lab::LabOutcome outcome, lab::RunInLab(options, job, printer));
  return outcome.exit_code;
}

}  // namespace plectl::cli
