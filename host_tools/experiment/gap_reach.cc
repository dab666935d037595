// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/gap_reach.h"

#include <fmt/format.h>

#include <optional>

#include "host_tools/base/text.h"
#include "host_tools/experiment/gap_cliff.h"

namespace plectl::experiment {

double LeastIntervalTscCycles(const guests::Workload& workload, const Calibration& calibration) {
  if (workload.relax_repeat > 1) return calibration.pause_tsc_cycles;
  const bool is_pause_loop =
      workload.payload == "pause_loop" || workload.payload == "user_pause_loop";
  return is_pause_loop ? calibration.pause_loop_tsc_cycles : calibration.wait_loop_tsc_cycles;
}

std::string WhyGapTooSmall(host::KvmModule module, const host::ParamValues& params,
                           double interval_tsc_cycles) {
  const std::string name = host::PleName(module, host::kPleGap);
  const auto found = params.find(name);
  if (found == params.end() || interval_tsc_cycles <= 0) return {};
  const std::optional<uint64_t> gap = ParseUint(found->second);
  const uint64_t first = PredictFirstGap(interval_tsc_cycles);
  if (!gap || *gap == 0 || *gap >= first) return {};
  return fmt::format(
      "{}={} is below the {:.1f} TSC cycles from one PAUSE of the loop to the next: PLE cannot "
      "fire "
      "here; set {} to at least {}",
      name, *gap, interval_tsc_cycles, name, first);
}

}  // namespace plectl::experiment
