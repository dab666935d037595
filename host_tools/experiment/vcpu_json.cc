// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/vcpu_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "host_tools/experiment/statistics_json.h"
#include "host_tools/experiment/waits_json.h"

namespace plectl::experiment {
namespace {

using guests::VcpuResult;
using nlohmann::json;

constexpr size_t kVcpusMax = 64;

struct UintField {
  std::string_view key;
  uint64_t VcpuResult::*member;
  uint64_t max = UINT64_MAX;
};
// Of what readers add up over the vCPUs.
constexpr uint64_t kSummandMax = UINT64_MAX / kVcpusMax;
// From the guest; 0 means that the payload does not measure it. In the order of a record's keys,
// which makes reading them fast.
constexpr UintField kGuestFields[] = {
    {"acquisitions", &VcpuResult::acquisitions, kSummandMax},
    {"contended", &VcpuResult::contended},
    {"spins", &VcpuResult::spins},
    {"tsc_end", &VcpuResult::tsc_end},
    {"tsc_start", &VcpuResult::tsc_start},
    {"wait_tsc_cycles_max", &VcpuResult::wait_tsc_cycles_max},
    {"wait_tsc_cycles_total", &VcpuResult::wait_tsc_cycles_total},
};
// From the host; 0 is a measurement.
constexpr UintField kHostFields[] = {
    {"involuntary_switches", &VcpuResult::involuntary_switches},
    {"voluntary_switches", &VcpuResult::voluntary_switches},
};

json ToJson(const VcpuResult& vcpu, bool with_vm) {
  json object = {{"kvm_exits", experiment::ToJson(vcpu.kvm_exits)},
                 {"user_ns", vcpu.user_ns},
                 {"system_ns", vcpu.system_ns},
                 {"guest_ns", experiment::ToJson(vcpu.guest_ns)},
                 {"run_delay_ns", experiment::ToJson(vcpu.run_delay_ns)},
                 {"kvm_stats", StatisticsToJson(vcpu.kvm_stats)}};
  for (const UintField& field : kGuestFields) {
    if (vcpu.*field.member != 0) object[field.key] = vcpu.*field.member;
  }
  for (const UintField& field : kHostFields) object[field.key] = vcpu.*field.member;
  if (!vcpu.wait_histogram.empty()) {
    object["wait_histogram"] = experiment::ToJson(vcpu.wait_histogram);
  }
  if (!vcpu.extra.empty()) object["extra"] = vcpu.extra;
  if (with_vm) object["vm"] = vcpu.vm;
  return object;
}

// Absent from records of plectl before it read them.
Status ReadNewer(const JsonFields& fields, Keep keep, VcpuResult& vcpu) {
  if (!fields.Has("kvm_stats")) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(vcpu.guest_ns, fields.CountOf("guest_ns"));
  PLECTL_ASSIGN_OR_RETURN(vcpu.run_delay_ns, fields.CountOf("run_delay_ns"));
  PLECTL_ASSIGN_OR_RETURN(vcpu.kvm_stats, StatisticsFromJson(fields, "kvm_stats", keep));
  return OkStatus();
}

Result<VcpuResult> FromJson(const JsonFields& fields, Keep keep) {
  VcpuResult vcpu;
  for (const UintField& field : kGuestFields) {
    PLECTL_ASSIGN_OR_RETURN(vcpu.*field.member, fields.UintOrZero(field.key, field.max));
  }
  for (const UintField& field : kHostFields) {
    PLECTL_ASSIGN_OR_RETURN(vcpu.*field.member, fields.Uint(field.key, field.max));
  }
  PLECTL_ASSIGN_OR_RETURN(vcpu.kvm_exits, fields.CountOf("kvm_exits"));
  PLECTL_ASSIGN_OR_RETURN(vcpu.user_ns, fields.Int("user_ns"));
  PLECTL_ASSIGN_OR_RETURN(vcpu.system_ns, fields.Int("system_ns"));
  PLECTL_ASSIGN_OR_RETURN(vcpu.wait_histogram, WaitHistogramFromJson(fields, keep));
  PLECTL_RETURN_IF_ERROR(ReadNewer(fields, keep, vcpu));
  if (fields.Has("vm")) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t vm, fields.Uint("vm", kVcpusMax - 1));
    vcpu.vm = static_cast<uint32_t>(vm);
  }
  if (fields.Has("extra")) {
    PLECTL_ASSIGN_OR_RETURN(vcpu.extra, fields.UintMap("extra"));
  }
  return vcpu;
}

}  // namespace

json VcpusToJson(const std::vector<VcpuResult>& vcpus) {
  json list = json::array();
  const bool several_vms = !vcpus.empty() && vcpus.back().vm != 0;
  for (const VcpuResult& vcpu : vcpus) list.push_back(ToJson(vcpu, several_vms));
  return list;
}

Result<std::vector<VcpuResult>> VcpusFromJson(const JsonFields& trial, Keep keep_details) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<JsonFields> items, trial.ObjectList("vcpus"));
  if (items.size() > kVcpusMax) return trial.Wrong("vcpus", "at most 64 vCPUs");
  std::vector<VcpuResult> vcpus;
  vcpus.reserve(items.size());
  for (const JsonFields& item : items) {
    PLECTL_ASSIGN_OR_RETURN(VcpuResult vcpu, FromJson(item, keep_details));
    vcpus.push_back(std::move(vcpu));
  }
  return vcpus;
}

}  // namespace plectl::experiment
