// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/scheduler_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/host/core_scheduling.h"
#include "host_tools/host/kernel_fixes.h"
#include "host_tools/host/preemption.h"
#include "host_tools/host/sched_ext_ops.h"
#include "host_tools/host/yield_probe.h"

namespace plectl::host {
namespace {

constexpr std::string_view kDebugFolder = "/sys/kernel/debug/sched";

std::string UnknownBecause(const Error& error) { return "unknown: " + error.message; }

Result<std::string> DebugFile(const HostRoot& root, std::string_view name) {
  return root.ReadTrimmed(fmt::format("{}/{}", kDebugFolder, name));
}

void AddForfeit(const HostRoot& root, SchedulerFacts& facts) {
  const auto version = UpstreamVersion(root.ReadTrimmed("/proc/sys/kernel/osrelease").value_or(""),
                                       root.ReadTrimmed("/proc/sys/kernel/version").value_or(""));
  const std::string_view by_version = HasForfeitVruntimeOnYield(version);
  facts.forfeits_on_yield = by_version;
  facts.forfeits_because = "by the kernel's version";
  if (!root.is_real()) return;
  // With a BPF scheduler the probe would say what that one does.
  ProbedAnswer probed{.because = "a sched_ext scheduler runs"};
  if (facts.sched_ext == "none") probed = ProbeForfeitOnYield();
  if (probed.answer != "unknown") {
    facts.forfeits_on_yield = probed.answer;
    facts.forfeits_because = probed.because;
  } else {
    facts.forfeits_because += fmt::format(", since it was not measured: {}", probed.because);
  }
}

// "... START_DEBIT NO_HRTICK ..."
std::string HrtickOf(std::string_view features) {
  const std::vector<std::string_view> words = Split(features, ' ');
  const auto has = [&](std::string_view word) {
    return std::ranges::find(words, word) != words.end();
  };
  if (has("HRTICK")) return "yes";
  return has("NO_HRTICK") ? "no" : "unknown: no HRTICK in the scheduler's features";
}

// Of files that only root may see, and that a kernel without CONFIG_SCHED_DEBUG has not.
void AddDebugFiles(const HostRoot& root, SchedulerFacts& facts) {
  const Result<std::string> features = DebugFile(root, "features");
  if (!features) {
    facts.hrtick = facts.flat_pick = UnknownBecause(features.error());
    return;
  }
  facts.hrtick = HrtickOf(*features);
  const Result<std::string> mode = DebugFile(root, "cgroup_mode");
  facts.flat_pick = mode ? ChosenOf(*mode) : "no";
  for (const char* name : {"base_slice_ns", "min_granularity_ns"}) {  // since 6.6, and before
    if (!facts.base_slice_ns) facts.base_slice_ns = ParseUint(DebugFile(root, name).value_or(""));
  }
}

std::string SchedExtOf(const HostRoot& root) {
  constexpr std::string_view kFolder = "/sys/kernel/sched_ext";
  if (!root.Exists("/sys/kernel")) return "unknown: /sys/kernel cannot be seen";
  if (!root.Exists(kFolder)) return "none";
  const Result<std::string> state = root.ReadTrimmed(fmt::format("{}/state", kFolder));
  if (!state) return UnknownBecause(state.error());
  if (*state == "disabled") return "none";
  const Result<std::string> name = root.ReadTrimmed(fmt::format("{}/root/ops", kFolder));
  return name && !name->empty() ? *name : fmt::format("a scheduler without a name ({})", *state);
}

std::string SchedExtYieldsOf(const HostRoot& root, const std::string& scheduler) {
  if (scheduler == "none" || scheduler.starts_with("unknown")) return scheduler;
  if (!root.is_real()) return "unknown: not recorded";
  return SchedExtHasYield(scheduler);
}

std::string CoreSchedulingOf(const HostRoot& root) {
  if (!root.is_real()) return "unknown: not recorded";
  const Result<uint64_t> cookie = CoreCookieOf(0);
  if (!cookie) return UnknownBecause(cookie.error());
  return *cookie == 0 ? "no" : "yes";
}

}  // namespace

SchedulerFacts ReadSchedulerFacts(const HostRoot& root) {
  SchedulerFacts facts;
  facts.sched_ext = SchedExtOf(root);
  facts.sched_ext_yields = SchedExtYieldsOf(root, facts.sched_ext);
  facts.core_scheduling = CoreSchedulingOf(root);
  facts.preemption = PreemptionOf(root);
  AddDebugFiles(root, facts);
  AddForfeit(root, facts);
  return facts;
}

}  // namespace plectl::host
