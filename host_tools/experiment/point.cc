// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/point.h"

#include <cstdint>
#include <functional>
#include <string>

namespace plectl::experiment {
namespace {

// As boost::hash_combine() mixes.
void Mix(size_t value, size_t& hash) {
  hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
}

}  // namespace

size_t WorkloadHash::operator()(const guests::Workload& workload) const {
  size_t hash = std::hash<std::string>()(workload.payload);
  for (const uint64_t number :
       {uint64_t{workload.vms}, uint64_t{workload.vcpus}, uint64_t{workload.cpus.size()},
        workload.hold_tsc_cycles, workload.think_tsc_cycles, workload.iterations,
        workload.duration_tsc_cycles, workload.body_loops, workload.random_seed,
        uint64_t{workload.relax_repeat}}) {
    Mix(number, hash);
  }
  return hash;
}

size_t HashOfPointArm(const guests::Workload& workload, const host::ParamValues& params, Arm arm) {
  size_t hash = WorkloadHash()(workload);
  for (const auto& [name, value] : params) Mix(std::hash<std::string>()(value), hash);
  Mix(static_cast<size_t>(arm), hash);
  return hash;
}

}  // namespace plectl::experiment
