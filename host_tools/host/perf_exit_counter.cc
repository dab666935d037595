// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/perf_exit_counter.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/host/exit_reasons.h"
#include "host_tools/host/perf_event.h"
#include "host_tools/host/tracepoint.h"

namespace plectl::host {
namespace {

struct TracepointIds {
  uint64_t exit = 0;
  uint64_t window_update = 0;
};

struct VcpuEvents {
  PerfEvent exits;
  PerfEvent pause_exits;
  PerfEvent window_updates;
};

class PerfExitCounter : public ExitCounter {
 public:
  PerfExitCounter(TracepointIds ids, KvmModule module, std::vector<PerfEvent> anchors)
      : ids_(ids),
        pause_filter_(fmt::format("exit_reason == {}", PauseExitCode(module))),
        anchors_(std::move(anchors)) {}

  [[nodiscard]] std::string_view name() const override { return "perf-exit"; }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;

 private:
  Result<VcpuEvents> OpenEvents(pid_t tid) const;

  TracepointIds ids_;
  std::string pause_filter_;
  std::vector<PerfEvent> anchors_;
  std::vector<VcpuEvents> vcpus_;
};

Result<VcpuEvents> PerfExitCounter::OpenEvents(pid_t tid) const {
  PLECTL_ASSIGN_OR_RETURN(PerfEvent exits, PerfEvent::OfTracepoint(ids_.exit, tid));
  PLECTL_ASSIGN_OR_RETURN(PerfEvent pause_exits, PerfEvent::OfTracepoint(ids_.exit, tid));
  PLECTL_ASSIGN_OR_RETURN(PerfEvent updates, PerfEvent::OfTracepoint(ids_.window_update, tid));
  PLECTL_RETURN_IF_ERROR(pause_exits.SetFilter(pause_filter_));
  for (PerfEvent* event : {&exits, &pause_exits, &updates}) {
    PLECTL_RETURN_IF_ERROR(event->Enable());
  }
  return VcpuEvents{std::move(exits), std::move(pause_exits), std::move(updates)};
}

Status PerfExitCounter::Arm(pid_t /*tgid*/, std::span<const pid_t> tids) {
  vcpus_.clear();
  for (const pid_t tid : tids) {
    PLECTL_ASSIGN_OR_RETURN(VcpuEvents events, OpenEvents(tid));
    vcpus_.push_back(std::move(events));
  }
  return OkStatus();
}

// Reads `event` and notes in `counts` when it lost something.
Result<uint64_t> ReadEvent(const PerfEvent& event, ExitCounts& counts) {
  PLECTL_ASSIGN_OR_RETURN(const PerfReading reading, event.Read());
  if (counts.lost_because.empty()) counts.lost_because = LostBecause(reading);
  return reading.value;
}

Result<ExitCounts> PerfExitCounter::Read() {
  ExitCounts counts;
  counts.by_reason_missing_because = "perf counters give the total and the PAUSE exits only";
  counts.window_growths = Count::Missing("a perf filter cannot compare the old and the new window");
  counts.window_shrinks = counts.window_growths;
  uint64_t total = 0;
  uint64_t pause_total = 0;
  uint64_t updates_total = 0;
  for (const VcpuEvents& vcpu : vcpus_) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t exits, ReadEvent(vcpu.exits, counts));
    PLECTL_ASSIGN_OR_RETURN(const uint64_t pause_exits, ReadEvent(vcpu.pause_exits, counts));
    PLECTL_ASSIGN_OR_RETURN(const uint64_t updates, ReadEvent(vcpu.window_updates, counts));
    total += exits;
    pause_total += pause_exits;
    updates_total += updates;
    counts.vcpus.emplace_back().pause_exits = pause_exits;
  }
  counts.total = total;
  counts.pause_exits = pause_total;
  counts.window_updates = updates_total;
  vcpus_.clear();
  return counts;
}

}  // namespace

Result<std::unique_ptr<ExitCounter>> OpenPerfExitCounter(const HostRoot& root, KvmModule module) {
  TracepointIds ids;
  PLECTL_ASSIGN_OR_RETURN(ids.exit, TracepointId(root, "kvm", "kvm_exit"));
  PLECTL_ASSIGN_OR_RETURN(ids.window_update, TracepointId(root, "kvm", "kvm_ple_window_update"));
  // The first counter of a tracepoint patches the kernel and the last one waits for it to be quiet
  // again. Disabled ones of our own thread keep both out of the trials, and kvm.ko in its place.
  std::vector<PerfEvent> anchors;
  for (const uint64_t id : {ids.exit, ids.window_update}) {
    PLECTL_ASSIGN_OR_RETURN(PerfEvent anchor, PerfEvent::OfTracepoint(id, 0));
    anchors.push_back(std::move(anchor));
  }
  return std::make_unique<PerfExitCounter>(ids, module, std::move(anchors));
}

}  // namespace plectl::host
