// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/perf_on_spin_counter.h"

#include <utility>
#include <vector>

#include "host_tools/host/function_probes.h"
#include "host_tools/host/perf_event.h"

namespace plectl::host {
namespace {

class PerfOnSpinCounter : public ExitCounter {
 public:
  explicit PerfOnSpinCounter(HostRoot root) : root_(std::move(root)) {}

  [[nodiscard]] std::string_view name() const override { return "perf-on-spin"; }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;
  // A counter of the entries of kvm_vcpu_on_spin() in thread `tid`, 0 for our own.
  [[nodiscard]] Result<PerfEvent> OpenEvent(pid_t tid) const {
    return PerfEvent::OfKprobe(root_, "kvm_vcpu_on_spin", tid);
  }

 private:
  HostRoot root_;
  std::vector<PerfEvent> vcpus_;
};

Status PerfOnSpinCounter::Arm(pid_t /*tgid*/, std::span<const pid_t> tids) {
  vcpus_.clear();
  for (const pid_t tid : tids) {
    PLECTL_ASSIGN_OR_RETURN(PerfEvent event, OpenEvent(tid));
    PLECTL_RETURN_IF_ERROR(event.Enable());
    vcpus_.push_back(std::move(event));
  }
  return OkStatus();
}

Result<ExitCounts> PerfOnSpinCounter::Read() {
  ExitCounts counts;
  counts.by_reason_missing_because = "this observer counts PAUSE exits only";
  uint64_t total = 0;
  for (const PerfEvent& vcpu : vcpus_) {
    PLECTL_ASSIGN_OR_RETURN(const PerfReading reading, vcpu.Read());
    if (counts.lost_because.empty()) counts.lost_because = LostBecause(reading);
    counts.vcpus.emplace_back().pause_exits = reading.value;
    total += reading.value;
  }
  counts.pause_exits = total;
  if (counts.lost_because.empty()) counts.lost_because = FunctionProbesOffBecause(root_);
  vcpus_.clear();
  return counts;
}

}  // namespace

Result<std::unique_ptr<ExitCounter>> OpenPerfOnSpinCounter(const HostRoot& root) {
  auto counter = std::make_unique<PerfOnSpinCounter>(root);
  // Whether it can count is better known now than at the first trial.
  PLECTL_RETURN_IF_ERROR(counter->OpenEvent(0));
  return counter;
}

}  // namespace plectl::host
