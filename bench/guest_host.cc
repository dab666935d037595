// SPDX-License-Identifier: Apache-2.0
#include "bench/guest_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "host_tools/experiment/counting_observer.h"
#include "host_tools/experiment/cross_check.h"
#include "host_tools/experiment/lab_host.h"
#include "host_tools/guests/kvm.h"
#include "host_tools/host/fingerprint.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/ple_values.h"

namespace plectl::bench {

using experiment::TrialRecord;

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
  experiment::CountingObserver observer(&observers_);
  PLECTL_ASSIGN_OR_RETURN(const guests::GuestResult result, runner_.Run(request, observer));
  TrialRecord record;
  record.workload = request.workload;
  experiment::RecordGuestResult(result, record);
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
      {std::string(host::ModuleName(module_)),
       host::OptionString(host::PleValuesOf(module_, params_))},
      {"observers", fmt::format("{}", fmt::join(observers_.Names(), ","))}};
  const auto off = host::WhyPleIsOff(root_, module_, params_);
  if (off && *off) context["ple_off_because"] = **off;
  if (experiment::IsLab(fingerprint)) context["lab"] = experiment::LabText(fingerprint);
  return context;
}

}  // namespace plectl::bench
