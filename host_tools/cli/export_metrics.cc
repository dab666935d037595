// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/export_metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/experiment/planned_trials.h"
#include "host_tools/metrics/openmetrics.h"
#include "host_tools/metrics/pushgateway.h"
#include "host_tools/metrics/text_format.h"
#include "host_tools/metrics/textfile.h"
#include "host_tools/output/run_metrics.h"

namespace plectl::cli {
namespace {

using Families = output::RunFigures::Families;

constexpr std::array<std::string_view, 3> kKinds = {"textfile", "pushgateway", "openmetrics"};
constexpr std::string_view kJob = "plectl";

Result<Families> FamiliesOf(const experiment::RunLog& log, size_t trials_max) {
  output::RunFigures figures = output::FiguresOf(log, trials_max);
  if (figures.left_out > 0) {
    return BadInput(
        fmt::format("the run has {} trials, more than --trials-max {}, with some 30 series each",
                    figures.trials.size() + figures.left_out, trials_max),
        fmt::format("give --trials-max {} if your Prometheus shall hold them all",
                    figures.trials.size() + figures.left_out));
  }
  figures.planned = experiment::PlannedTrials(log);
  metrics::MetricsBuilder builder;
  output::AddFamilies(figures, builder);
  return builder.Take();
}

Result<std::string> HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return SystemFailure("get the host's name", errno);
  }
  return std::string(name.data());
}

// "instance" and "run" unless --grouping gives them another value, then its other keys.
Result<metrics::Labels> GroupingOf(const std::string& run, const std::vector<std::string>& more) {
  PLECTL_ASSIGN_OR_RETURN(std::string host, HostName());
  metrics::Labels grouping = {{"instance", std::move(host)}, {"run", run}};
  for (const std::string& text : more) {
    PLECTL_ASSIGN_OR_RETURN(metrics::Label label, metrics::ParseGrouping(text));
    const auto known = std::ranges::find(grouping, label.name, &metrics::Label::name);
    if (known != grouping.end()) {
      *known = std::move(label);
    } else {
      grouping.push_back(std::move(label));
    }
  }
  return grouping;
}

// The gateway gives a group's labels to all its samples, whatever they had.
Status CheckKeepsLabels(const metrics::Labels& grouping, const Families& families) {
  for (const metrics::Label& label : grouping) {
    const auto has_label = [&](const prometheus::ClientMetric& sample) {
      return std::ranges::find(sample.label, label.name, &metrics::Label::name) !=
             sample.label.end();
    };
    const bool taken = std::ranges::any_of(families, [&](const auto& family) {
      return std::ranges::any_of(family.metric, has_label);
    });
    if (label.name == "run" || !taken) continue;
    return BadInput(fmt::format("--grouping {}={} would overwrite the label {} of the metrics",
                                label.name, label.value, label.name),
                    "choose another key");
  }
  return OkStatus();
}

Status PushTo(const experiment::RunLog& log, const ExportMetricsArguments& arguments,
              Families families) {
  metrics::PushOptions options;
  options.url = arguments.target;
  options.job = kJob;
  options.basic_auth_file = arguments.basic_auth_file;
  options.timeout = std::chrono::seconds(arguments.timeout_s);
  options.connect_timeout = std::min(options.connect_timeout, options.timeout);
  PLECTL_ASSIGN_OR_RETURN(options.grouping, GroupingOf(output::RunName(log), arguments.grouping));
  PLECTL_RETURN_IF_ERROR(CheckKeepsLabels(options.grouping, families));
  return metrics::Push(options, metrics::TextFormat(std::move(families)));
}

// node_exporter takes all files of its folder as one: what two of them say of two runs of one plan
// must differ in a label.
void AddLabel(const metrics::Label& label, Families& families) {
  for (prometheus::MetricFamily& family : families) {
    for (prometheus::ClientMetric& metric : family.metric) metric.label.push_back(label);
  }
}

Status WithStepForTarget(Status written) {
  if (!written && written.error().hint.empty()) {
    written.error().hint =
        "name a file in a folder that is there and that you may write, on a disk with room";
  }
  return written;
}

Status WriteOpenMetrics(const std::string& target, const std::string& text) {
  if (target != "-") return WriteExport(target, text);
  fmt::print("{}", text);
  return OkStatus();
}

Status CheckOpenMetricsPath(const std::string& target) {
  if (!target.empty()) return OkStatus();
  return BadInput("--to openmetrics names no file", "give a path, or - for stdout");
}

}  // namespace

Status WriteExport(const std::filesystem::path& path, const std::string& text) {
  return WithStepForTarget(WriteFileAtomically(path, text));
}

Status CheckExportMetrics(const ExportMetricsArguments& arguments) {
  if (std::ranges::find(kKinds, arguments.kind) == kKinds.end()) {
    return BadInput(fmt::format("--to knows no \"{}\"{}", arguments.kind,
                                SuggestionText(arguments.kind, kKinds)),
                    "use textfile PATH, pushgateway URL or openmetrics -");
  }
  if (arguments.kind != "pushgateway" &&
      (!arguments.grouping.empty() || !arguments.basic_auth_file.empty())) {
    return BadInput("--grouping and --basic-auth-file are of --to pushgateway");
  }
  if (arguments.kind == "textfile") return metrics::CheckTextfilePath(arguments.target);
  if (arguments.kind == "openmetrics") return CheckOpenMetricsPath(arguments.target);
  std::set<std::string> keys;
  for (const std::string& text : arguments.grouping) {
    PLECTL_ASSIGN_OR_RETURN(const metrics::Label label, metrics::ParseGrouping(text));
    if (!keys.insert(label.name).second) {
      return BadInput(fmt::format("--grouping names {} twice", label.name), "give each key once");
    }
  }
  return metrics::CheckPushUrl(arguments.target);
}

Status ExportMetrics(const experiment::RunLog& log, const ExportMetricsArguments& arguments) {
  PLECTL_ASSIGN_OR_RETURN(Families families, FamiliesOf(log, arguments.trials_max));
  if (arguments.kind == "openmetrics") {
    return WriteOpenMetrics(arguments.target, metrics::OpenMetricsText(families));
  }
  if (arguments.kind == "pushgateway") return PushTo(log, arguments, std::move(families));
  AddLabel({"textfile", std::filesystem::path(arguments.target).stem().string()}, families);
  return WithStepForTarget(
      metrics::WriteTextfile(arguments.target, metrics::TextFormat(std::move(families))));
}

}  // namespace plectl::cli
