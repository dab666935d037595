// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_exit_counter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host_tools/host/bpf_support.h"
#include "host_tools/host/detail_tally.h"
#include "host_tools/host/exit_tally.h"
#include "host_tools/host/function_probes.h"

namespace plectl::host {
namespace {

class BpfExitCounter : public ExitCounter {
 public:
  BpfExitCounter(KvmModule module, std::shared_ptr<BpfPrograms> programs)
      : module_(module), programs_(std::move(programs)) {}

  [[nodiscard]] std::string_view name() const override { return "bpf-exit"; }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;

 private:
  Status Zero();
  Status AddDetails(uint32_t vcpu, VcpuCounts& counts);
  [[nodiscard]] std::string YieldsLostBecause() const;

  KvmModule module_;
  std::shared_ptr<BpfPrograms> programs_;
  MissWatch misses_;
  uint64_t missed_returns_at_start_ = 0;
  size_t vcpus_ = 0;
};

Status BpfExitCounter::Zero() {
  for (VcpuRow& row : programs_->rows()) {
    std::ranges::fill(row.exits, 0);
    row.window_growths = row.window_shrinks = 0;
  }
  for (WindowLog& log : programs_->window_logs()) log.changes = log.max = 0;
  if (!programs_->wanted().details.any()) return OkStatus();
  for (VcpuDetail& detail : programs_->details()) detail = {};
  return programs_->ZeroTimes();
}

Status BpfExitCounter::Arm(pid_t tgid, std::span<const pid_t> tids) {
  DisarmVcpus(programs_->armed(), programs_->rows());
  PLECTL_RETURN_IF_ERROR(Zero());
  vcpus_ = tids.size();
  PLECTL_RETURN_IF_ERROR(misses_.Start(programs_->counting_programs()));
  missed_returns_at_start_ = programs_->missed_returns().value_or(0);
  return ArmVcpus(tgid, tids, programs_->armed(), programs_->rows());
}

Status BpfExitCounter::AddDetails(uint32_t vcpu, VcpuCounts& counts) {
  const ObserverDetails& wanted = programs_->wanted().details;
  const VcpuDetail& detail = programs_->details()[vcpu];
  if (wanted.pause_rips) counts.pause_rips = RipsOf(detail.rips);
  if (wanted.directed_yields) counts.directed_yields = YieldsOf(detail.yields);
  if (!wanted.exit_times) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(const auto times, programs_->ReadTimes(vcpu));
  counts.exit_times = TimesOf(module_, *times, detail.exit_slot_plus_1);
  return OkStatus();
}

std::string BpfExitCounter::YieldsLostBecause() const {
  const std::optional<uint64_t> missed = programs_->missed_returns();
  if (!missed) {
    return "this kernel does not say how many returns a kretprobe misses (before 6.7): leave "
           "--observe directed_yields out, or boot with preempt=voluntary";
  }
  if (*missed != missed_returns_at_start_) {
    return fmt::format("the kernel's kretprobes missed {} returns",
                       *missed - missed_returns_at_start_);
  }
  return FunctionProbesOffBecause(HostRoot());
}

Result<ExitCounts> BpfExitCounter::Read() {
  DisarmVcpus(programs_->armed(), programs_->rows());
  const auto rows = programs_->rows().first(vcpus_);
  ExitCounts counts;
  for (uint32_t vcpu = 0; vcpu < rows.size(); ++vcpu) {
    AddVcpuExits(module_, rows[vcpu].exits, counts);
    counts.vcpus.back().window = TrackOf(programs_->window_logs()[vcpu]);
    PLECTL_RETURN_IF_ERROR(AddDetails(vcpu, counts.vcpus.back()));
  }
  AddWindowUpdates(rows, counts);
  PLECTL_ASSIGN_OR_RETURN(counts.lost_because, misses_.LostBecause());
  if (counts.lost_because.empty()) counts.lost_because = UnknownReasonsBecause(rows);
  if (programs_->wanted().details.directed_yields && counts.lost_because.empty()) {
    counts.lost_because = YieldsLostBecause();
  }
  return counts;
}

}  // namespace

std::unique_ptr<ExitCounter> MakeBpfExitCounter(KvmModule module,
                                                std::shared_ptr<BpfPrograms> programs) {
  return std::make_unique<BpfExitCounter>(module, std::move(programs));
}

}  // namespace plectl::host
