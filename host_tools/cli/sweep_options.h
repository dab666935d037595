// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "host_tools/cli/metrics_options.h"
#include "host_tools/cli/progress.h"
#include "host_tools/host/observers.h"
#include "host_tools/host/perf_control.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::cli {

// The command line of `plectl sweep`.
struct SweepArguments {
  std::filesystem::path plan_path;
  std::filesystem::path out;
  bool in_lab = false;
  bool dry_run = false;
  bool json = false;  // of --dry-run
  bool list = false;  // of --dry-run
  ProgressStyle progress = ProgressStyle::kPlain;
  uint32_t attempts_max = 3;
  std::chrono::seconds wait{0};  // before each reload, for the other users of the module to go
  uint32_t disturbed_repeats_max = 2;  // of a trial that noise has disturbed
  std::filesystem::path payload_elf;   // empty: the built-in payloads
  uint64_t relax_tsc_cycles = 0;       // of every guest; the lab's CPU profiles
  host::ObserverOptions observers;
  std::string perf_control_text;                       // --perf-control
  std::optional<host::PerfControlPaths> perf_control;  // a perf that shall be on during each trial
  MetricsArguments metrics;
  std::chrono::seconds metrics_linger{0};  // how long the last scrape is waited for
  lab::LabOptions lab;
  bool lab_seed_given = false;  // --lab-seed
  // Of the plan's lab_seeds only this one: the sweep inside the lab gets it.
  std::optional<uint64_t> only_lab_seed;
};

}  // namespace plectl::cli
