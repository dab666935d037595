// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_on_spin_counter.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "host_tools/host/bpf_support.h"

namespace plectl::host {
namespace {

class BpfOnSpinCounter : public ExitCounter {
 public:
  explicit BpfOnSpinCounter(std::shared_ptr<BpfPrograms> programs)
      : programs_(std::move(programs)) {}

  [[nodiscard]] std::string_view name() const override {
    return by_fentry() ? "bpf-on-spin" : "bpf-on-spin-kprobe";
  }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;

 private:
  exit_counter& skeleton() { return *programs_->skeleton; }
  [[nodiscard]] bool by_fentry() const { return programs_->on_spin == OnSpinHook::kFentry; }

  std::shared_ptr<BpfPrograms> programs_;
  MissWatch misses_;
  size_t vcpus_ = 0;
};

Status BpfOnSpinCounter::Arm(pid_t tgid, std::span<const pid_t> tids) {
  DisarmVcpus(skeleton().bss->armed);
  std::ranges::fill(skeleton().bss->pause_exits, 0);
  vcpus_ = tids.size();
  PLECTL_RETURN_IF_ERROR(misses_.Start(
      {by_fentry() ? skeleton().progs.on_spin_fentry : skeleton().progs.on_spin_kprobe}));
  return ArmVcpus(tgid, tids, skeleton().bss->armed);
}

Result<ExitCounts> BpfOnSpinCounter::Read() {
  DisarmVcpus(skeleton().bss->armed);
  ExitCounts counts;
  counts.by_reason_missing_because = "this observer counts PAUSE exits only";
  const std::span counted(skeleton().bss->pause_exits, vcpus_);
  counts.pause_exits_by_vcpu.assign(counted.begin(), counted.end());
  counts.pause_exits = std::accumulate(counted.begin(), counted.end(), uint64_t{0});
  PLECTL_ASSIGN_OR_RETURN(counts.lost_because, misses_.LostBecause());
  return counts;
}

}  // namespace

std::unique_ptr<ExitCounter> MakeBpfOnSpinCounter(std::shared_ptr<BpfPrograms> programs) {
  return std::make_unique<BpfOnSpinCounter>(std::move(programs));
}

}  // namespace plectl::host
