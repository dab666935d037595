// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/export_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "host_tools/base/file.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/output/export_format.h"

namespace plectl::cli {
namespace {

struct ExportArguments {
  std::filesystem::path run;
  std::string format;
  std::filesystem::path out;  // empty: stdout
};

Result<experiment::RunLog> LoadMeasuredRun(const std::filesystem::path& run) {
  PLECTL_ASSIGN_OR_RETURN(experiment::RunLog log, experiment::LoadRunLog(run));
  if (std::ranges::any_of(log.trials, &experiment::TrialRecord::valid)) return log;
  return Inconclusive(fmt::format("{} holds no valid trial", run.string()),
                      "run the sweep again: it goes on where it stopped");
}

Status Export(const ExportArguments& arguments) {
  PLECTL_ASSIGN_OR_RETURN(const auto format, output::MakeExportFormat(arguments.format));
  PLECTL_ASSIGN_OR_RETURN(const experiment::RunLog log, LoadMeasuredRun(arguments.run));
  for (const std::string& note : log.notes) fmt::print(stderr, "note: {}\n", note);
  const std::string text = format->Render(log);
  if (!arguments.out.empty()) return WriteFileAtomically(arguments.out, text);
  fmt::print("{}", text);
  return OkStatus();
}

}  // namespace

void AddExportCommand(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand("export", "Hand a run's trials to another program");
  command->add_option("run", arguments->run, "The run's folder or its run.jsonl")->required();
  command->add_option("--format", arguments->format, "gbench: JSON as Google Benchmark writes it")
      ->required();
  command->add_option("--out", arguments->out, "The file to write (default: stdout)");
  command->footer(
      "Example: plectl export results/quickstart --format gbench --out quickstart.json");
  command->callback([&context, arguments] { context.exit_code = ExitCodeOf(Export(*arguments)); });
}

}  // namespace plectl::cli
