// SPDX-License-Identifier: Apache-2.0
#include "bench/guest_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "host_tools/experiment/cross_check.h"
#include "host_tools/experiment/lab_host.h"
#include "host_tools/guests/kvm.h"
#include "host_tools/host/fingerprint.h"
#include "host_tools/host/module_params.h"

namespace plectl::bench {
namespace {

using experiment::TrialRecord;

// Arms the observer at the start barrier and reads it at the end.
class CountingObserver : public guests::GuestObserver {
 public:
  explicit CountingObserver(const host::ObserverPair& pair) : pair_(pair) {}

  Status OnReady(pid_t tgid, std::span<const pid_t> vcpu_tids) override {
    PLECTL_RETURN_IF_ERROR(pair_.primary->Arm(tgid, vcpu_tids));
    return OkStatus();
  }

  Status OnFinished() override {
    PLECTL_ASSIGN_OR_RETURN(counts.primary, pair_.primary->Read());
    return OkStatus();
  }

  experiment::ObservedCounts counts;

 private:
  const host::ObserverPair& pair_;
};

TrialRecord RecordOf(const guests::GuestRequest& request, const guests::GuestResult& result) {
  TrialRecord record;
  record.workload = request.workload;
  record.throughput_per_s = result.all.throughput_per_s;
  record.tsc_khz = result.tsc_khz;
  record.elapsed_tsc_cycles = result.all.elapsed_tsc_cycles;
  record.fairness_jain = result.all.fairness_jain;
  record.waits = result.all.waits;
  record.vcpus = result.vcpus;
  return record;
}

host::ParamValues PleValuesOf(host::KvmModule module, const host::ParamValues& all) {
  host::ParamValues values;
  for (const host::PleParam& param : host::PleParams(module)) {
    const auto found = all.find(std::string(param.name));
    if (found != all.end()) values.insert(*found);
  }
  return values;
}

}  // namespace

Result<GuestHost> GuestHost::Open(const guests::PayloadImage& payloads) {
  PLECTL_RETURN_IF_ERROR(guests::Kvm::Open());
  HostRoot root;
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, host::LoadedModule(root));
  PLECTL_ASSIGN_OR_RETURN(host::ParamValues params, host::ReadParams(root, module));
  PLECTL_ASSIGN_OR_RETURN(host::ObserverPair observers, host::OpenObservers(root, module, {}));
  return GuestHost(root, module, std::move(params), std::move(observers),
                   guests::VmmRunner(payloads));
}

Result<TrialRecord> GuestHost::Run(const guests::GuestRequest& request) {
  CountingObserver observer(observers_);
  PLECTL_ASSIGN_OR_RETURN(const guests::GuestResult result, runner_.Run(request, observer));
  TrialRecord record = RecordOf(request, result);
  experiment::RecordCounts(observer.counts, record);
  if (!record.valid()) return Inconclusive(record.invalid_because);
  if (record.elapsed_tsc_cycles == 0) return Inconclusive("the guest's TSC did not move");
  PLECTL_ASSIGN_OR_RETURN(const host::ParamValues now, host::ReadParams(root_, module_));
  if (now == params_) return record;
  return Inconclusive(
      fmt::format("the parameters of {} changed since the start", host::ModuleName(module_)),
      "run it again when no sweep runs");
}

std::map<std::string, std::string> GuestHost::Context() const {
  const nlohmann::json fingerprint = host::Fingerprint(root_);
  std::map<std::string, std::string> context = {
      {std::string(host::ModuleName(module_)), host::OptionString(PleValuesOf(module_, params_))},
      {"observers", fmt::format("{}", fmt::join(observers_.Names(), ","))}};
  const auto off = host::WhyPleIsOff(root_, module_, params_);
  if (off && *off) context["ple_off_because"] = **off;
  if (experiment::IsLab(fingerprint)) context["lab"] = experiment::LabText(fingerprint);
  return context;
}

}  // namespace plectl::bench
