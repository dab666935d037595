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

Result<guests::Distribution> ReadDistribution(const JsonFields& fields, std::string_view key) {
  using guests::Distribution;
  if (!fields.Has(key)) return Distribution::kFixed;
  PLECTL_ASSIGN_OR_RETURN(const std::string name, fields.Text(key));
  for (const auto word : {Distribution::kFixed, Distribution::kExponential}) {
    if (DistributionName(word) == name) return word;
  }
  return fields.Wrong(key, "\"fixed\" or \"exponential\"");
}

// How long it goes on: one of two fields.
Status ReadLength(const JsonFields& fields, guests::Workload& workload) {
  workload.iterations = 0;
  if (fields.Has("duration_tsc_cycles")) {
    PLECTL_ASSIGN_OR_RETURN(workload.duration_tsc_cycles, fields.Uint("duration_tsc_cycles"));
    return OkStatus();
  }
  PLECTL_ASSIGN_OR_RETURN(workload.iterations, fields.Uint("iterations"));
  return OkStatus();
}

// What came later, and is absent when it has its default.
Status ReadLaterFields(const JsonFields& fields, guests::Workload& workload) {
  PLECTL_ASSIGN_OR_RETURN(workload.interrupts_off, ReadInterruptsOff(fields));
  PLECTL_ASSIGN_OR_RETURN(workload.hold_distribution,
                          ReadDistribution(fields, "hold_distribution"));
  PLECTL_ASSIGN_OR_RETURN(workload.think_distribution,
                          ReadDistribution(fields, "think_distribution"));
  if (fields.Has("random_seed")) {
    PLECTL_ASSIGN_OR_RETURN(workload.random_seed, fields.Uint("random_seed"));
  }
  if (fields.Has("relax_repeat")) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t repeat, fields.Uint("relax_repeat", UINT32_MAX));
    workload.relax_repeat = static_cast<uint32_t>(repeat);
  }
  return OkStatus();
}

void WriteLaterFields(const guests::Workload& workload, nlohmann::json& json) {
  const guests::Workload defaults;
  if (workload.vms != defaults.vms) json["vms"] = workload.vms;
  if (workload.interrupts_off != defaults.interrupts_off) {
    json["interrupts_off"] = InterruptsOffName(workload.interrupts_off);
  }
  if (workload.hold_distribution != defaults.hold_distribution) {
    json["hold_distribution"] = DistributionName(workload.hold_distribution);
  }
  if (workload.think_distribution != defaults.think_distribution) {
    json["think_distribution"] = DistributionName(workload.think_distribution);
  }
  if (workload.random_seed != defaults.random_seed) json["random_seed"] = workload.random_seed;
  if (workload.relax_repeat != defaults.relax_repeat) {
    json["relax_repeat"] = workload.relax_repeat;
  }
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

std::string_view DistributionName(guests::Distribution distribution) {
  return distribution == guests::Distribution::kExponential ? "exponential" : "fixed";
}

nlohmann::json ToJson(const guests::Workload& workload) {
  nlohmann::json json = {{"payload", workload.payload},
                         {"vcpus", workload.vcpus},
                         {"cpus", workload.cpus},
                         {"hold_tsc_cycles", workload.hold_tsc_cycles},
                         {"think_tsc_cycles", workload.think_tsc_cycles},
                         {"body_loops", workload.body_loops},
                         {"scheduling", SchedulingName(workload.scheduling)}};
  if (workload.duration_tsc_cycles != 0) {
    json["duration_tsc_cycles"] = workload.duration_tsc_cycles;
  } else {
    json["iterations"] = workload.iterations;
  }
  WriteLaterFields(workload, json);
  return json;
}

Result<guests::Workload> WorkloadFromJson(const JsonValue& json) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(json, "workload"));
  guests::Workload workload;
  PLECTL_ASSIGN_OR_RETURN(workload.payload, fields.Text("payload"));
  if (fields.Has("vms")) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t vms, fields.Uint("vms", kVcpusMax));
    workload.vms = static_cast<uint32_t>(vms);
  }
  PLECTL_ASSIGN_OR_RETURN(const uint64_t vcpus, fields.Uint("vcpus", kVcpusMax));
  workload.vcpus = static_cast<uint32_t>(vcpus);
  PLECTL_ASSIGN_OR_RETURN(workload.cpus, ReadCpus(fields));
  PLECTL_ASSIGN_OR_RETURN(workload.hold_tsc_cycles, fields.Uint("hold_tsc_cycles"));
  PLECTL_ASSIGN_OR_RETURN(workload.think_tsc_cycles, fields.Uint("think_tsc_cycles"));
  PLECTL_RETURN_IF_ERROR(ReadLength(fields, workload));
  PLECTL_ASSIGN_OR_RETURN(workload.body_loops, fields.Uint("body_loops"));
  PLECTL_ASSIGN_OR_RETURN(workload.scheduling, ReadScheduling(fields));
  PLECTL_RETURN_IF_ERROR(ReadLaterFields(fields, workload));
  return workload;
}

}  // namespace plectl::experiment
