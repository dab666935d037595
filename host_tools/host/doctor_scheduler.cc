// SPDX-License-Identifier: Apache-2.0
// The doctor's check of the host's scheduler: what becomes of a directed yield.
#include <fmt/format.h>

#include <array>
#include <string>

#include "host_tools/host/doctor_checks.h"

namespace plectl::host {
namespace {

std::string SliceText(const SchedulerFacts& facts) {
  constexpr double kNsPerMs = 1e6;
  if (!facts.base_slice_ns) return {};
  return fmt::format(", base slice {:g} ms", static_cast<double>(*facts.base_slice_ns) / kNsPerMs);
}

Finding LookAtSchedExt(const SchedulerFacts& scheduler) {
  const std::string& name = scheduler.sched_ext;
  if (scheduler.sched_ext_yields == "yes") {
    return Ok(
        fmt::format("the sched_ext scheduler {} runs and has ops.yield: what becomes of a directed "
                    "yield is its "
                    "own affair",
                    name));
  }
  if (scheduler.sched_ext_yields == "no") {
    return Warning(
        fmt::format("the sched_ext scheduler {} runs, which has no ops.yield: each PAUSE "
                    "exit costs time and boosts nobody",
                    name),
        "measure without it, or keep PLE off as long as it runs");
  }
  return Warning(fmt::format("the sched_ext scheduler {} runs: unless it has ops.yield, each PAUSE "
                             "exit costs time and boosts nobody ({})",
                             name, scheduler.sched_ext_yields),
                 "stop it, or look for yield in: sudo bpftool struct_ops dump");
}

Finding LookAtDirectedYield(const DoctorFacts& facts) {
  const SchedulerFacts& scheduler = facts.scheduler;
  if (scheduler.core_scheduling == "yes") {
    return Warning(
        "this process has a cookie of core scheduling: vCPUs run only beside threads "
        "of the same cookie, whomever KVM boosts",
        "run plectl outside of what sets the cookie (prctl PR_SCHED_CORE)");
  }
  const std::string& bpf = scheduler.sched_ext;
  if (bpf.starts_with("unknown")) return Unknown(bpf, std::string(kAskRoot));
  if (bpf != "none") return LookAtSchedExt(scheduler);
  if (scheduler.hrtick.starts_with("unknown")) {
    return Unknown(scheduler.hrtick, std::string(kAskRoot));
  }
  return Ok(fmt::format("HRTICK {}, flat pick {}, preemption {}{}; no sched_ext scheduler",
                        scheduler.hrtick, scheduler.flat_pick, scheduler.preemption,
                        SliceText(scheduler)));
}

constexpr std::array kChecks = {
    Check{"directed_yield",
          "all that KVM does after a PAUSE exit is to yield to another vCPU: how much that helps "
          "is the scheduler's; never compare results of schedulers that differ",
          LookAtDirectedYield},
};

}  // namespace

std::span<const Check> SchedulerChecks() { return kChecks; }

}  // namespace plectl::host
