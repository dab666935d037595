// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/report_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "host_tools/experiment/run_log.h"
#include "host_tools/output/report_format.h"

namespace plectl::cli {
namespace {

struct ReportArguments {
  std::filesystem::path run;
  std::string format = "text";
  bool complete = false;
};

// Whether all trials of the plan were measured, for scripts: exit code 5 when not.
Status CheckComplete(const output::Report& report) {
  switch (output::CompletenessOf(report)) {
    case output::Completeness::kComplete:
      break;
    case output::Completeness::kIncomplete:
      return Inconclusive(fmt::format("{} holds {} of the {} trials of its plan", report.run,
                                      report.trials_valid, *report.trials_planned),
                          experiment::NextStepFor(report.run));
    case output::Completeness::kUnknown:
      return Inconclusive(
          fmt::format("{} does not tell how many trials its plan has", report.run),
          "compare it with: plectl sweep PLAN --out DIR --dry-run, with the sweep's --payload-elf");
  }
  return OkStatus();
}

Status PrintReport(const ReportArguments& arguments) {
  PLECTL_ASSIGN_OR_RETURN(const auto format, output::MakeReportFormat(arguments.format));
  output::ReportBuilder builder;
  PLECTL_ASSIGN_OR_RETURN(const experiment::RunLogHead head,
                          experiment::ReadRunLog(arguments.run, builder));
  if (head.manifests.empty() && !experiment::IsBeingWritten(arguments.run)) {
    return experiment::NothingMeasured(arguments.run, false);
  }
  output::Report report = builder.Build(head, arguments.run.string());
  if (experiment::IsBeingWritten(arguments.run)) {
    report.notes.emplace_back("its sweep is still running: this is what it has so far");
  }
  fmt::print("{}", format->Render(report));
  if (report.trials_valid == 0) return experiment::NothingMeasured(arguments.run, true);
  return arguments.complete ? CheckComplete(report) : OkStatus();
}

}  // namespace

void AddReportCommand(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand("report", "Show what a run measured");
  command->add_option("run", arguments->run, "The run's folder or its run.jsonl")->required();
  command->add_option("--format", arguments->format, "text (default), csv or json");
  command->add_flag("--complete", arguments->complete,
                    "Exit code 5 unless the run holds every trial of its plan");
  command->footer("Example: plectl report runs/first --format csv");
  command->callback(
      [&context, arguments] { context.exit_code = ExitCodeOf(PrintReport(*arguments)); });
}

}  // namespace plectl::cli
