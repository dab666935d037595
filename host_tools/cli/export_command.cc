// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/export_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host_tools/base/file.h"
#include "host_tools/cli/export_metrics.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/output/export_format.h"

namespace plectl::cli {
namespace {

struct ExportArguments {
  std::filesystem::path run;
  std::string format;           // empty: to Prometheus
  std::filesystem::path out;    // empty: stdout
  std::vector<std::string> to;  // KIND TARGET
  ExportMetricsArguments metrics;
};

Result<experiment::RunLog> LoadMeasuredRun(const std::filesystem::path& run) {
  PLECTL_ASSIGN_OR_RETURN(experiment::RunLog log, experiment::LoadRunLogTotals(run));
  for (const std::string& note : log.notes) fmt::print(stderr, "note: {}\n", note);
  if (std::ranges::any_of(log.trials, &experiment::TrialRecord::valid)) return log;
  return experiment::NothingMeasured(run, !log.manifests.empty());
}

Status ExportInFormat(const ExportArguments& arguments) {
  PLECTL_ASSIGN_OR_RETURN(const auto format, output::MakeExportFormat(arguments.format));
  PLECTL_ASSIGN_OR_RETURN(const experiment::RunLog log, LoadMeasuredRun(arguments.run));
  const std::string text = format->Render(log);
  if (!arguments.out.empty() && arguments.out != "-") return WriteExport(arguments.out, text);
  fmt::print("{}", text);
  return OkStatus();
}

Status Export(ExportArguments& arguments) {
  if (arguments.to.empty()) {
    if (arguments.format.empty()) {
      return BadInput("export needs --format or --to", "see plectl export --help");
    }
    return ExportInFormat(arguments);
  }
  arguments.metrics.kind = arguments.to.at(0);
  arguments.metrics.target = arguments.to.at(1);
  PLECTL_RETURN_IF_ERROR(CheckExportMetrics(arguments.metrics));
  PLECTL_ASSIGN_OR_RETURN(const experiment::RunLog log, LoadMeasuredRun(arguments.run));
  return ExportMetrics(log, arguments.metrics);
}

// Of --to.
void AddMetricsOptions(CLI::App& command, CLI::Option* to, ExportMetricsArguments& arguments) {
  command
      .add_option("--trials-max", arguments.trials_max,
                  "Of --to: refuse a run of more trials; each has some 30 series")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(to)
      ->capture_default_str();
  command
      .add_option("--grouping", arguments.grouping,
                  "Of --to pushgateway: one more label of the group, or another instance or run")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->needs(to);
  command
      .add_option("--basic-auth-file", arguments.basic_auth_file,
                  "Of --to pushgateway: a file with USER:PASSWORD that not everybody may read")
      ->type_name("FILE")
      ->needs(to);
  command.add_option("--timeout-s", arguments.timeout_s, "Of --to pushgateway: for the whole push")
      ->check(CLI::Range(1, 3600))
      ->needs(to)
      ->capture_default_str();
}

}  // namespace

void AddExportCommand(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand("export", "Hand a run's trials to another program");
  command->add_option("run", arguments->run, "The run's folder or its run.jsonl")->required();
  CLI::Option* format = command->add_option("--format", arguments->format,
                                            "gbench: JSON as Google Benchmark writes it");
  command
      ->add_option("--out", arguments->out,
                   "Of --format: the file to write (default, and -: stdout)")
      ->needs(format);
  CLI::Option* to =
      command
          ->add_option("--to", arguments->to,
                       "To Prometheus (plectl docs metrics): textfile PATH, pushgateway URL, "
                       "openmetrics PATH (-: stdout)")
          ->type_name("KIND TARGET")
          ->expected(2)
          ->excludes(format);
  AddMetricsOptions(*command, to, arguments->metrics);
  command->footer(
      "Examples: plectl export runs/first --format gbench --out first.json\n"
      "          plectl export runs/first --to textfile /var/lib/prometheus/"
      "node-exporter/plectl.prom\n"
      "          plectl export runs/first --to pushgateway http://127.0.0.1:9091");
  command->callback([&context, arguments] { context.exit_code = ExitCodeOf(Export(*arguments)); });
}

}  // namespace plectl::cli
