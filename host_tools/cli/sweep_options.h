// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "host_tools/cli/lab_request.h"
#include "host_tools/cli/metrics_options.h"
#include "host_tools/cli/progress.h"
#include "host_tools/host/perf_control.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::cli {

// The command line of `plectl sweep`: what it measures, and where and how it says so.
struct SweepArguments : SweepRequest {
  std::filesystem::path plan_path;
  std::filesystem::path out;
  bool in_lab = false;
  bool dry_run = false;
  bool json = false;  // of --dry-run
  bool list = false;  // of --dry-run
  ProgressStyle progress = ProgressStyle::kPlain;
  std::string perf_control_text;                       // --perf-control
  std::optional<host::PerfControlPaths> perf_control;  // a perf that shall be on during each trial
  MetricsArguments metrics;
  std::chrono::seconds metrics_linger{0};  // how long the last scrape is waited for
  lab::LabOptions lab;
  bool lab_seed_given = false;  // --lab-seed
};

}  // namespace plectl::cli
