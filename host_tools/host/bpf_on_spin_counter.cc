// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_on_spin_counter.h"

#include <utility>

#include "host_tools/host/bpf_support.h"
#include "host_tools/host/detail_tally.h"
#include "host_tools/host/exit_tally.h"
#include "host_tools/host/function_probes.h"

namespace plectl::host {
namespace {

class BpfOnSpinCheck : public ExitCounter {
 public:
  explicit BpfOnSpinCheck(std::shared_ptr<BpfPrograms> programs) : programs_(std::move(programs)) {}

  [[nodiscard]] std::string_view name() const override {
    return programs_->hooks() == Hooks::kFentry ? "bpf-on-spin" : "bpf-on-spin-kprobe";
  }
  Status SetAttached(bool attached) override {
    if (attached) return programs_->AttachOnSpin();
    programs_->DetachOnSpin();
    return OkStatus();
  }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;

 protected:
  [[nodiscard]] std::span<VcpuRow> rows() { return programs_->rows().first(vcpus_); }
  [[nodiscard]] BpfPrograms& programs() { return *programs_; }

 private:
  std::shared_ptr<BpfPrograms> programs_;
  MissWatch misses_;
  size_t vcpus_ = 0;
};

Status BpfOnSpinCheck::Arm(pid_t tgid, std::span<const pid_t> tids) {
  DisarmVcpus(programs_->armed(), programs_->rows());
  for (VcpuRow& row : programs_->rows()) row.pause_exits = 0;
  vcpus_ = tids.size();
  PLECTL_RETURN_IF_ERROR(misses_.Start({programs_->on_spin_program()}));
  return ArmVcpus(tgid, tids, programs_->armed(), programs_->rows());
}

Result<ExitCounts> BpfOnSpinCheck::Read() {
  DisarmVcpus(programs_->armed(), programs_->rows());
  ExitCounts counts;
  counts.by_reason_missing_because = "this observer counts PAUSE exits only";
  counts.total = Count::Missing(counts.by_reason_missing_because);
  uint64_t pause_exits = 0;
  for (const VcpuRow& row : rows()) {
    counts.vcpus.emplace_back().pause_exits = row.pause_exits;
    pause_exits += row.pause_exits;
  }
  counts.pause_exits = pause_exits;
  PLECTL_ASSIGN_OR_RETURN(counts.lost_because, misses_.LostBecause());
  // It may have been switched off while the trial ran.
  if (counts.lost_because.empty()) counts.lost_because = FunctionProbesOffBecause(HostRoot());
  return counts;
}

class BpfPauseCounter : public BpfOnSpinCheck {
 public:
  using BpfOnSpinCheck::BpfOnSpinCheck;

  Status Arm(pid_t tgid, std::span<const pid_t> tids) override {
    for (VcpuRow& row : programs().rows()) row.window_growths = row.window_shrinks = 0;
    for (WindowLog& log : programs().window_logs()) log.changes = log.max = 0;
    PLECTL_RETURN_IF_ERROR(window_misses_.Start({programs().window_program()}));
    return BpfOnSpinCheck::Arm(tgid, tids);
  }
  Result<ExitCounts> Read() override {
    PLECTL_ASSIGN_OR_RETURN(ExitCounts counts, BpfOnSpinCheck::Read());
    AddWindowUpdates(rows(), counts);
    for (size_t vcpu = 0; vcpu < counts.vcpus.size(); ++vcpu) {
      counts.vcpus[vcpu].window = TrackOf(programs().window_logs()[vcpu]);
    }
    if (!counts.lost_because.empty()) return counts;
    PLECTL_ASSIGN_OR_RETURN(counts.lost_because, window_misses_.LostBecause());
    return counts;
  }

 private:
  MissWatch window_misses_;
};

}  // namespace

std::unique_ptr<ExitCounter> MakeBpfOnSpinCheck(std::shared_ptr<BpfPrograms> programs) {
  return std::make_unique<BpfOnSpinCheck>(std::move(programs));
}

std::unique_ptr<ExitCounter> MakeBpfPauseCounter(std::shared_ptr<BpfPrograms> programs) {
  return std::make_unique<BpfPauseCounter>(std::move(programs));
}

}  // namespace plectl::host
