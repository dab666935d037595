// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/calibration.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace plectl::experiment {
namespace {

constexpr double kMilli = 1e-3;

// What guest_workloads/payloads/relax_cost.c measures, in thousandths of a cycle.
struct Distance {
  std::string_view extra;
  double Calibration::*member;
};
constexpr Distance kDistances[] = {
    {"relax_milli_tsc_cycles", &Calibration::pause_tsc_cycles},
    {"wait_loop_milli_tsc_cycles", &Calibration::wait_loop_tsc_cycles},
    {"pause_loop_milli_tsc_cycles", &Calibration::pause_loop_tsc_cycles},
};

}  // namespace

guests::GuestRequest CalibrationRequest(int cpu, uint64_t body_loops, uint64_t relax_tsc_cycles) {
  guests::GuestRequest request;
  request.workload.payload = "relax_cost";
  request.workload.vcpus = 1;
  request.workload.cpus = {cpu};
  request.workload.iterations = 1;
  request.workload.body_loops = body_loops;
  request.pause_exits_disabled = true;
  request.relax_tsc_cycles = relax_tsc_cycles;
  return request;
}

Result<Calibration> CalibrationOf(const guests::GuestResult& result) {
  Calibration calibration;
  calibration.tsc_khz = result.tsc_khz;
  for (const Distance& distance : kDistances) {
    const auto& extra = result.vcpus.at(0).extra;
    const auto found = extra.find(std::string(distance.extra));
    if (found == extra.end()) {
      return BadInput(fmt::format("this guest measures no {}", distance.extra),
                      "take the built-in guest, or one that has its payload relax_cost");
    }
    if (found->second == 0) {
      return Inconclusive(
          fmt::format("{}: twice as many PAUSEs took no longer, in the fastest of several runs",
                      distance.extra),
          "the CPU's clock or its TSC does not stand still: see clocksource and core clock in "
          "plectl doctor, then try again");
    }
    calibration.*distance.member = static_cast<double>(found->second) * kMilli;
  }
  return calibration;
}

nlohmann::json ToJson(const Calibration& calibration) {
  if (!calibration.missing_because.empty()) {
    return {{"missing_because", calibration.missing_because}};
  }
  return {{"pause_tsc_cycles", calibration.pause_tsc_cycles},
          {"wait_loop_tsc_cycles", calibration.wait_loop_tsc_cycles},
          {"pause_loop_tsc_cycles", calibration.pause_loop_tsc_cycles},
          {"tsc_khz", calibration.tsc_khz}};
}

}  // namespace plectl::experiment
