// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/experiment/run_log.h"

namespace plectl::cli {

// Series per trial are some 30: a run of so many trials is what a Prometheus takes easily.
inline constexpr size_t kTrialsWithSeriesMax = 1000;

// The command line of `plectl export RUN --to KIND TARGET`.
struct ExportMetricsArguments {
  std::string kind;    // textfile, pushgateway, openmetrics
  std::string target;  // a path, a URL, or "-" for stdout
  size_t trials_max = kTrialsWithSeriesMax;
  std::vector<std::string> grouping;  // KEY=VALUE, of pushgateway
  std::filesystem::path basic_auth_file;
  uint32_t timeout_s = 30;
};

// What can be found wrong without the run.
Status CheckExportMetrics(const ExportMetricsArguments& arguments);

// Hands the trials of `log` to Prometheus. BadInput when there are more than --trials-max: figures
// are never left out in silence.
Status ExportMetrics(const experiment::RunLog& log, const ExportMetricsArguments& arguments);

// The whole text into a file that the user named.
Status WriteExport(const std::filesystem::path& path, const std::string& text);

}  // namespace plectl::cli
