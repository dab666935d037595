// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/sweep_host.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/experiment/kvm_executor.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/guests/vmm_runner.h"
#include "host_tools/host/load_obstacles.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/module_reload.h"
#include "host_tools/host/observers.h"
#include "host_tools/host/param_request.h"
#include "host_tools/host/real_time.h"

namespace plectl::cli {
namespace {

// The module that is loaded, which must be the one whose parameters the plan names.
Result<host::KvmModule> ModuleFor(const HostRoot& root, const experiment::Plan& plan) {
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule loaded, host::LoadedModule(root));
  std::vector<std::string> names;
  for (const auto& [name, value] : plan.param_sets.front()) names.push_back(name);
  PLECTL_ASSIGN_OR_RETURN(const std::optional<host::KvmModule> wanted, host::ModuleOfParams(names));
  if (wanted.value_or(loaded) != loaded) {
    return Environment(fmt::format("the plan names parameters of {}, but this host runs {}",
                                   host::ModuleName(*wanted), host::ModuleName(loaded)),
                       "run it on a host of that vendor, or in the lab with --lab-cpu");
  }
  return loaded;
}

// The observers that are attached already, when they are what was asked for; else new ones.
Result<host::ObserverPair> Observers(CommandContext& context, host::KvmModule module,
                                     const host::ObserverOptions& options) {
  std::optional<host::ObserverPair> standby = std::exchange(context.standby_observers, {});
  if (standby && host::IsAutomatic(options)) return *std::move(standby);
  standby.reset();
  return host::OpenObservers(context.root, module, options);
}

Result<std::optional<host::PerfControl>> OpenPerfControl(const SweepArguments& arguments) {
  // Longer than any start of perf; it answers in milliseconds.
  constexpr std::chrono::seconds kLimit{10};
  if (!arguments.perf_control) return std::nullopt;
  PLECTL_ASSIGN_OR_RETURN(host::PerfControl perf,
                          host::PerfControl::Open(*arguments.perf_control, kLimit));
  return perf;
}

Status WarnOfFifo(const HostRoot& root, const experiment::Plan& plan) {
  const bool fifo = std::ranges::any_of(plan.workloads, [](const guests::Workload& workload) {
    return workload.scheduling == guests::VcpuScheduling::kFifo;
  });
  if (!fifo) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(const std::string warning, host::WarningOfFifo(root, plan.deadline_ms));
  if (!warning.empty()) fmt::print(stderr, "warning: {}\n", warning);
  return OkStatus();
}

// In a list as the kernel writes it: "0-3,5".
bool IsInCpuList(std::string_view list, uint64_t cpu) {
  return std::ranges::any_of(Split(list, ','), [cpu](std::string_view range) {
    const std::vector<std::string_view> ends = Split(range, '-');
    const auto first = ParseUint(ends.front());
    const auto last = ParseUint(ends.back());
    return first && last && *first <= cpu && cpu <= *last;
  });
}

// Else the first trial would find out, after a reload.
Status CheckCpus(const HostRoot& root, const experiment::Plan& plan) {
  const Result<std::string> online = root.ReadTrimmed("/sys/devices/system/cpu/online");
  if (!online) return OkStatus();
  for (const guests::Workload& workload : plan.workloads) {
    for (const int cpu : workload.cpus) {
      if (IsInCpuList(*online, static_cast<uint64_t>(cpu))) continue;
      return Environment(fmt::format("the plan names CPU {}, but online here are {}", cpu, *online),
                         "name CPUs that are online in the plan's cpus");
    }
  }
  return OkStatus();
}

// Of a module that never can be reloaded, whoever uses it.
Status CheckCanChange(const HostRoot& root, host::KvmModule module) {
  return host::IsBuiltIn(root, module) ? host::CheckReloadable(root, module)
                                       : host::CheckKernelLoads(root, module);
}

// A set that this host would refuse is refused before the first trial, not after some.
Status CheckParamSets(const HostRoot& root, host::KvmModule module,
                      const host::ParamValues& current, const experiment::Plan& plan) {
  bool changes = false;
  for (const host::ParamValues& set : plan.param_sets) {
    const auto target = host::TargetValues(root, module, current, set);
    if (!target) {
      return Fail(
          WithContext(fmt::format("the plan's set {}", host::OptionString(set)), target.error()));
    }
    changes = changes || *target != current;
  }
  return changes ? CheckCanChange(root, module) : OkStatus();
}

}  // namespace

Status CheckPlanOnThisHost(const HostRoot& root, const experiment::Plan& plan) {
  if (!host::LoadedModule(root)) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, ModuleFor(root, plan));
  PLECTL_ASSIGN_OR_RETURN(const host::ParamValues current, host::ReadParams(root, module));
  PLECTL_RETURN_IF_ERROR(CheckCpus(root, plan));
  PLECTL_RETURN_IF_ERROR(CheckParamSets(root, module, current, plan));
  return WarnOfFifo(root, plan);
}

Result<std::unique_ptr<experiment::Executor>> MakeKvmExecutor(CommandContext& context,
                                                              const experiment::Plan& plan,
                                                              const guests::PayloadImage& payloads,
                                                              const SweepArguments& arguments) {
  const HostRoot& root = context.root;
  PLECTL_ASSIGN_OR_RETURN(auto loader, host::MakeKmodLoader(root));
  PLECTL_ASSIGN_OR_RETURN(const host::KvmModule module, ModuleFor(root, plan));
  PLECTL_ASSIGN_OR_RETURN(host::ParamSession params,
                          host::ParamSession::Begin(root, module, std::move(loader)));
  PLECTL_RETURN_IF_ERROR(CheckCpus(root, plan));
  PLECTL_RETURN_IF_ERROR(CheckParamSets(root, module, params.originals(), plan));
  PLECTL_RETURN_IF_ERROR(WarnOfFifo(root, plan));
  params.WaitForOthers(arguments.wait);
  PLECTL_ASSIGN_OR_RETURN(host::ObserverPair observers,
                          Observers(context, module, arguments.observers));
  if (!observers.note.empty()) fmt::print(stderr, "note: {}\n", observers.note);
  PLECTL_ASSIGN_OR_RETURN(std::optional<host::PerfControl> perf, OpenPerfControl(arguments));
  PLECTL_ASSIGN_OR_RETURN(const guests::PayloadImage built_in, guests::EmbeddedPayloads());
  return std::make_unique<experiment::KvmExecutor>(experiment::KvmExecutorParts{
      .root = root,
      .module = module,
      .params = std::move(params),
      .observers = std::move(observers),
      .runner = std::make_unique<guests::VmmRunner>(payloads),
      .control_runner = std::make_unique<guests::VmmRunner>(built_in),
      .places = payloads.places(),
      .relax_tsc_cycles = arguments.relax_tsc_cycles,
      .perf = std::move(perf),
  });
}

}  // namespace plectl::cli
