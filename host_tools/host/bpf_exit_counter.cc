// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_exit_counter.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "host_tools/host/bpf_support.h"
#include "host_tools/host/exit_tally.h"

namespace plectl::host {
namespace {

uint64_t SumOfFirst(size_t vcpus, std::span<const __u64> values) {
  return std::accumulate(values.begin(), values.begin() + static_cast<ptrdiff_t>(vcpus),
                         uint64_t{0});
}

class BpfExitCounter : public ExitCounter {
 public:
  BpfExitCounter(KvmModule module, std::shared_ptr<BpfPrograms> programs)
      : module_(module), programs_(std::move(programs)) {}

  [[nodiscard]] std::string_view name() const override { return "bpf-exit"; }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;

 private:
  void Zero();
  exit_counter& skeleton() { return *programs_->skeleton; }

  KvmModule module_;
  std::shared_ptr<BpfPrograms> programs_;
  MissWatch misses_;
  size_t vcpus_ = 0;
};

Status BpfExitCounter::Arm(pid_t tgid, std::span<const pid_t> tids) {
  DisarmVcpus(skeleton().bss->armed);
  Zero();
  vcpus_ = tids.size();
  PLECTL_RETURN_IF_ERROR(
      misses_.Start({skeleton().progs.on_kvm_exit, skeleton().progs.on_window_update}));
  return ArmVcpus(tgid, tids, skeleton().bss->armed);
}

void BpfExitCounter::Zero() {
  for (size_t vcpu = 0; vcpu < vcpus_; ++vcpu) {
    std::ranges::fill(skeleton().bss->exits[vcpu], 0);
    skeleton().bss->window_growths[vcpu] = 0;
    skeleton().bss->window_shrinks[vcpu] = 0;
  }
}

Result<ExitCounts> BpfExitCounter::Read() {
  DisarmVcpus(skeleton().bss->armed);
  ExitCounts counts;
  for (size_t vcpu = 0; vcpu < vcpus_; ++vcpu) {
    AddVcpuExits(module_, skeleton().bss->exits[vcpu], counts);
  }
  const uint64_t growths = SumOfFirst(vcpus_, skeleton().bss->window_growths);
  const uint64_t shrinks = SumOfFirst(vcpus_, skeleton().bss->window_shrinks);
  counts.window_growths = growths;
  counts.window_shrinks = shrinks;
  counts.window_updates = growths + shrinks;
  PLECTL_ASSIGN_OR_RETURN(counts.lost_because, misses_.LostBecause());
  return counts;
}

}  // namespace

std::unique_ptr<ExitCounter> MakeBpfExitCounter(KvmModule module,
                                                std::shared_ptr<BpfPrograms> programs) {
  return std::make_unique<BpfExitCounter>(module, std::move(programs));
}

}  // namespace plectl::host
