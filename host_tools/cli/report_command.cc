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
};

Status PrintReport(const ReportArguments& arguments) {
  PLECTL_ASSIGN_OR_RETURN(const auto format, output::MakeReportFormat(arguments.format));
  PLECTL_ASSIGN_OR_RETURN(const experiment::RunLog log, experiment::LoadRunLog(arguments.run));
  const output::Report report = output::MakeReport(log, arguments.run.string());
  fmt::print("{}", format->Render(report));
  if (report.trials_valid > 0) return OkStatus();
  return Inconclusive(fmt::format("{} holds no valid trial", arguments.run.string()),
                      "run the sweep again: it goes on where it stopped");
}

}  // namespace

void AddReportCommand(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command = app.add_subcommand("report", "Show what a run measured");
  command->add_option("run", arguments->run, "The run's folder or its run.jsonl")->required();
  command->add_option("--format", arguments->format, "text (default), csv or json");
  command->footer("Example: plectl report results/quickstart --format csv");
  command->callback(
      [&context, arguments] { context.exit_code = ExitCodeOf(PrintReport(*arguments)); });
}

}  // namespace plectl::cli
