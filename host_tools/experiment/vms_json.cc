// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/vms_json.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "host_tools/experiment/contention_json.h"
#include "host_tools/experiment/statistics_json.h"
#include "host_tools/experiment/waits_json.h"

namespace plectl::experiment {
namespace {

using guests::VmResult;

constexpr size_t kVmsMax = 64;

nlohmann::json ToJson(const VmResult& vm) {
  nlohmann::json object = {{"throughput_per_s", FiniteToJson(vm.throughput_per_s)},
                           {"elapsed_tsc_cycles", vm.elapsed_tsc_cycles}};
  if (vm.fairness_jain) object["fairness_jain"] = FiniteToJson(*vm.fairness_jain);
  if (vm.contention) object["contention"] = experiment::ToJson(*vm.contention);
  if (vm.waits) object["wait_tsc_cycles"] = experiment::ToJson(*vm.waits);
  object["kvm_stats"] = StatisticsToJson(vm.kvm_stats);
  return object;
}

Result<VmResult> FromJson(const JsonFields& fields, Keep keep) {
  VmResult vm;
  if (!fields.Has("throughput_per_s")) return fields.Wrong("throughput_per_s", "a number");
  PLECTL_ASSIGN_OR_RETURN(const auto throughput, fields.NumberIfKnown("throughput_per_s"));
  vm.throughput_per_s = throughput.value_or(std::numeric_limits<double>::quiet_NaN());
  PLECTL_ASSIGN_OR_RETURN(vm.elapsed_tsc_cycles, fields.Uint("elapsed_tsc_cycles"));
  PLECTL_ASSIGN_OR_RETURN(vm.fairness_jain, fields.NumberIfKnown("fairness_jain", 1));
  PLECTL_ASSIGN_OR_RETURN(vm.contention, ContentionFromJson(fields));
  PLECTL_ASSIGN_OR_RETURN(vm.waits, WaitSummaryFromJson(fields));
  PLECTL_ASSIGN_OR_RETURN(vm.kvm_stats, StatisticsFromJson(fields, "kvm_stats", keep));
  return vm;
}

}  // namespace

nlohmann::json VmsToJson(const std::vector<VmResult>& vms) {
  nlohmann::json list = nlohmann::json::array();
  for (const VmResult& vm : vms) list.push_back(ToJson(vm));
  return list;
}

Result<std::vector<VmResult>> VmsFromJson(const JsonFields& trial, Keep keep) {
  std::vector<VmResult> vms;
  if (!trial.Has("vms")) return vms;
  PLECTL_ASSIGN_OR_RETURN(const std::vector<JsonFields> items, trial.ObjectList("vms"));
  if (items.size() > kVmsMax) return trial.Wrong("vms", "at most 64 VMs");
  for (const JsonFields& item : items) {
    PLECTL_ASSIGN_OR_RETURN(VmResult vm, FromJson(item, keep));
    if (keep == Keep::kYes) vms.push_back(std::move(vm));
  }
  return vms;
}

}  // namespace plectl::experiment
