// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/selftest_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"
#include "host_tools/cli/command.h"
#include "host_tools/cli/cpu_measurement.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/cli/lab_request.h"
#include "host_tools/cli/sweep_host.h"
#include "host_tools/experiment/selftest.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/guests/workload_check.h"
#include "host_tools/host/module_params.h"
#include "host_tools/output/selftest_report.h"

namespace plectl::cli {
namespace {

struct Options : SelftestRequest {
  MeasurePlace place;
};

void SayStep(std::string_view what) { fmt::print(stderr, "trying {}\n", what); }

// Whether no more steps may be begun: what is left of `deadline` belongs to the last of them (a
// guest takes 20 s at most) and to the restoration of the host.
bool OutOfTime(const Stopwatch& since_start, std::chrono::seconds deadline) {
  constexpr std::chrono::seconds kLastStep{30};
  const auto tried = deadline - std::min(kLastStep, deadline / 2);
  return std::chrono::nanoseconds(since_start.ElapsedNs()) >= tried;
}

// Both observers in every trial: three witnesses.
SweepArguments ArgumentsOf(const MeasureRequest& request) {
  SweepArguments arguments;
  arguments.wait = request.wait;
  arguments.relax_tsc_cycles = request.relax_tsc_cycles;
  arguments.observers.check = host::CheckTrials::kEvery;
  return arguments;
}

Result<experiment::SelftestReport> TryHost(CommandContext& context,
                                           const SelftestRequest& options) {
  const Stopwatch since_start;
  PLECTL_RETURN_IF_ERROR(guests::CheckRelaxTscCycles(options.measure.relax_tsc_cycles));
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
  MeasureRequest measure = options.measure;
  measure.wait = std::min(measure.wait, options.deadline);
  const SweepArguments arguments = ArgumentsOf(measure);
  return experiment::RunSelftest(
      {.root = context.root,
       .module = module,
       .payloads = payloads,
       .cpu = measure.cpu,
       .make_calibrator =
           [&] { return MakeCalibrator(context, module, payloads, measure, "trying"); },
       .make_executor =
           [&](const experiment::Plan& plan) {
             return MakeKvmExecutor(context, plan, payloads, arguments);
           },
       .on_step = SayStep,
       .out_of_time = [&] { return OutOfTime(since_start, options.deadline); }});
}

Result<int> SelftestHere(CommandContext& context, const SelftestRequest& options) {
  PLECTL_ASSIGN_OR_RETURN(const experiment::SelftestReport report, TryHost(context, options));
  fmt::print("{}", options.measure.format == "json" ? output::SelftestJson(report)
                                                    : output::SelftestText(report));
  return experiment::SelftestExitCode(report.checks);
}

Result<int> SelftestInLab(const Options& options) {
  SelftestRequest request = static_cast<const SelftestRequest&>(options);
  PLECTL_ASSIGN_OR_RETURN(request.measure, MeasureRequestInLab(options.measure, options.place));
  return RunLabCommand(options.place, {kSelftestInLab, kSelftestRequestFile, ToJson(request)});
}

Result<int> SelftestInside(CommandContext& context) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, ReadFile(kSelftestRequestFile));
  PLECTL_ASSIGN_OR_RETURN(const SelftestRequest request, SelftestRequestFromJson(text));
  return SelftestHere(context, request);
}

int ExitCodeOf(const Result<int>& exit_code) {
  return exit_code ? *exit_code : ReportError(exit_code.error());
}

void AddOptions(CLI::App& command, Options& options) {
  command
      .add_option_function<int64_t>(
          "--deadline-s",
          [&options](int64_t seconds) { options.deadline = std::chrono::seconds(seconds); },
          "What had no turn after so many seconds is not tried (exit code 5)")
      ->check(CLI::Range(int64_t{1}, int64_t{options.deadline.count()}))
      ->default_str(std::to_string(options.deadline.count()));
  AddMeasureOptions(command, options.measure, options.place);
}

}  // namespace

void AddSelftestCommand(CLI::App& app, CommandContext& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "selftest", "Try whether what plectl assumes of a CPU and a kernel holds on this host");
  AddOptions(*command, *options);
  command->footer(
      "Takes five minutes at most, reloads the KVM module and restores it.\n"
      "Exit codes: 0 all holds; 1 something does not; 5 it could not be tried.\n"
      "Example: sudo plectl selftest --format json > selftest.json");
  command->callback([&context, options, command] {
    const bool in_lab = options->place.in_lab;
    if (const Status fits = CheckLabOptionsHaveALab(*command, in_lab); !fits) {
      context.exit_code = ReportError(fits.error());
      return;
    }
    context.exit_code =
        ExitCodeOf(in_lab ? SelftestInLab(*options) : SelftestHere(context, *options));
  });
}

void AddLabSelftestCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand(std::string(kSelftestInLab), "Try the self-test inside the lab");
  command->group("");
  command->callback([&context] { context.exit_code = ExitCodeOf(SelftestInside(context)); });
}

}  // namespace plectl::cli
