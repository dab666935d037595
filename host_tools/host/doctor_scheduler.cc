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
  if (bpf != "none") {
    return Warning(
        fmt::format("the sched_ext scheduler {} runs: unless it has ops.yield, each PAUSE exit "
                    "costs time and boosts nobody",
                    bpf),
        "stop it, or look for yield in: sudo bpftool struct_ops dump");
  }
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
