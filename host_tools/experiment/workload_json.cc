// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/workload_json.h"

#include <nlohmann/json.hpp>

#include "host_tools/experiment/json_fields.h"

namespace plectl::experiment {
namespace {

constexpr uint64_t kVcpusMax = 64;

Result<guests::VcpuScheduling> ReadScheduling(const JsonFields& fields) {
  PLECTL_ASSIGN_OR_RETURN(const std::string name, fields.Text("scheduling"));
  for (const auto scheduling : {guests::VcpuScheduling::kOther, guests::VcpuScheduling::kFifo}) {
    if (SchedulingName(scheduling) == name) return scheduling;
  }
  return fields.Wrong("scheduling", "\"other\" or \"fifo\"");
}

Result<guests::InterruptsOff> ReadInterruptsOff(const JsonFields& fields) {
  using guests::InterruptsOff;
  if (!fields.Has("interrupts_off")) return InterruptsOff::kNever;
  PLECTL_ASSIGN_OR_RETURN(const std::string name, fields.Text("interrupts_off"));
  for (const auto word :
       {InterruptsOff::kNever, InterruptsOff::kHolding, InterruptsOff::kLocking}) {
    if (InterruptsOffName(word) == name) return word;
  }
  return fields.Wrong("interrupts_off", "\"never\", \"holding\" or \"locking\"");
}

Result<std::vector<int>> ReadCpus(const JsonFields& fields) {
  PLECTL_ASSIGN_OR_RETURN(const auto numbers, fields.UintList("cpus", INT32_MAX));
  if (numbers.empty()) return fields.Wrong("cpus", "at least one CPU");
  return std::vector<int>(numbers.begin(), numbers.end());
}

}  // namespace

std::string_view SchedulingName(guests::VcpuScheduling scheduling) {
  return scheduling == guests::VcpuScheduling::kFifo ? "fifo" : "other";
}

std::string_view InterruptsOffName(guests::InterruptsOff interrupts_off) {
  switch (interrupts_off) {
    case guests::InterruptsOff::kHolding:
      return "holding";
    case guests::InterruptsOff::kLocking:
      return "locking";
    case guests::InterruptsOff::kNever:
      break;
  }
  return "never";
}

nlohmann::json ToJson(const guests::Workload& workload) {
  nlohmann::json json = {{"payload", workload.payload},
                         {"vcpus", workload.vcpus},
                         {"cpus", workload.cpus},
                         {"hold_tsc_cycles", workload.hold_tsc_cycles},
                         {"think_tsc_cycles", workload.think_tsc_cycles},
                         {"iterations", workload.iterations},
                         {"body_loops", workload.body_loops},
                         {"scheduling", SchedulingName(workload.scheduling)}};
  if (workload.interrupts_off != guests::InterruptsOff::kNever) {
    json["interrupts_off"] = InterruptsOffName(workload.interrupts_off);
  }
  return json;
}

Result<guests::Workload> WorkloadFromJson(const nlohmann::json& json) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(json, "workload"));
  guests::Workload workload;
  PLECTL_ASSIGN_OR_RETURN(workload.payload, fields.Text("payload"));
  PLECTL_ASSIGN_OR_RETURN(const uint64_t vcpus, fields.Uint("vcpus", kVcpusMax));
  workload.vcpus = static_cast<uint32_t>(vcpus);
  PLECTL_ASSIGN_OR_RETURN(workload.cpus, ReadCpus(fields));
  PLECTL_ASSIGN_OR_RETURN(workload.hold_tsc_cycles, fields.Uint("hold_tsc_cycles"));
  PLECTL_ASSIGN_OR_RETURN(workload.think_tsc_cycles, fields.Uint("think_tsc_cycles"));
  PLECTL_ASSIGN_OR_RETURN(workload.iterations, fields.Uint("iterations"));
  PLECTL_ASSIGN_OR_RETURN(workload.body_loops, fields.Uint("body_loops"));
  PLECTL_ASSIGN_OR_RETURN(workload.scheduling, ReadScheduling(fields));
  PLECTL_ASSIGN_OR_RETURN(workload.interrupts_off, ReadInterruptsOff(fields));
  return workload;
}

}  // namespace plectl::experiment
