// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/executor.h"
#include "host_tools/experiment/selftest_checks.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::experiment {

// `plectl selftest`: what plectl assumes of a host and can only be tried where KVM is, by the parts
// that sweeps and calibrations use.
struct SelftestParts {
  HostRoot root;
  host::KvmModule module = host::KvmModule::kIntel;
  guests::PayloadImage payloads;  // the built-in guest
  int cpu = 0;                    // that the guests run on
  // One after the other, never both: each holds the host's parameters.
  std::function<Result<std::unique_ptr<Calibrator>>()> make_calibrator;
  std::function<Result<std::unique_ptr<Executor>>(const Plan&)> make_executor;
  // Told what is tried next, for people.
  std::function<void(std::string_view)> on_step = [](std::string_view) {};
  // Asked before each step: whether no more of them may be begun. The checks that had no turn are
  // missing then (kOutOfTime); the host is restored and compared all the same.
  std::function<bool()> out_of_time = [] { return false; };
};

// NOLINTNEXTLINE(bugprone-exception-escape): clang-tidy 14 distrusts the move of json
struct SelftestReport {
  std::vector<SelftestCheck> checks;
  nlohmann::json host;  // the fingerprint
  Calibration calibration;
  std::vector<ControlRecord> controls;
  std::vector<TrialRecord> trials;
};

// Errors are those of the environment, and a requested stop; whatever the host's CPU does wrong is
// a check that failed. The host is restored before this returns.
Result<SelftestReport> RunSelftest(const SelftestParts& parts);

// The names of all checks, in their order.
std::vector<std::string> SelftestCheckNames(host::KvmModule module);

// The plan whose trials it runs, as text: two fixed windows, and a lock on one CPU.
std::string SelftestPlan(host::KvmModule module, double interval_tsc_cycles, int cpu);

}  // namespace plectl::experiment
