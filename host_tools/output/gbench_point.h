// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "host_tools/analysis/summary.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::output {

// A valid trial as one repetition of a benchmark.
struct GbenchRepetition {
  uint64_t work = 0;        // acquisitions; of payloads without a lock: relax instructions
  double real_time_ns = 0;  // of the guest's TSC, per unit of work
  double cpu_time_ns = 0;   // of the host's CPUs in the vCPU threads, per unit of work
  std::map<std::string, double> counters;  // what is missing is not in it
  std::string label;                       // which trial it is
};

// All valid trials of one point and arm: a benchmark with its repetitions.
struct GbenchPoint {
  std::string name;
  uint64_t vcpus = 0;
  std::vector<GbenchRepetition> repetitions;
};

struct GbenchPoints {
  std::vector<GbenchPoint> points;  // in the order of a report
  size_t trials_without_work = 0;   // left out: there is no time per unit of no work
};

// "ttas/vcpus:2/cpus:0/.../ple_gap:128/.../pause": only of the trial's own settings, so that it is
// the same in every run. Settings of a workload that few use are named only when used.
std::string GbenchName(std::span<const analysis::Setting> settings, const std::string& arm);

// The valid ones of `trials`.
GbenchPoints MakeGbenchPoints(const std::vector<experiment::TrialRecord>& trials);

}  // namespace plectl::output
