// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_exit_counter.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "host_tools/host/bpf/exit_counter.skel.h"
#include "host_tools/host/bpf_support.h"
#include "host_tools/host/exit_tally.h"
#include "host_tools/host/kvm_btf.h"

namespace plectl::host {
namespace {

using Skeleton = SkeletonPtr<exit_counter>;

uint64_t SumOfFirst(size_t vcpus, std::span<const __u64> values) {
  return std::accumulate(values.begin(), values.begin() + static_cast<ptrdiff_t>(vcpus),
                         uint64_t{0});
}

class BpfExitCounter : public ExitCounter {
 public:
  BpfExitCounter(KvmModule module, Skeleton skeleton)
      : module_(module), skeleton_(std::move(skeleton)) {}

  [[nodiscard]] std::string_view name() const override { return "bpf-exit"; }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;

 private:
  void Zero();

  KvmModule module_;
  Skeleton skeleton_;
  MissWatch misses_;
  size_t vcpus_ = 0;
};

Status BpfExitCounter::Arm(pid_t tgid, std::span<const pid_t> tids) {
  DisarmVcpus(skeleton_->bss->armed);
  Zero();
  vcpus_ = tids.size();
  PLECTL_RETURN_IF_ERROR(
      misses_.Start({skeleton_->progs.on_kvm_exit, skeleton_->progs.on_window_update}));
  return ArmVcpus(tgid, tids, skeleton_->bss->armed);
}

void BpfExitCounter::Zero() {
  for (size_t vcpu = 0; vcpu < vcpus_; ++vcpu) {
    std::ranges::fill(skeleton_->bss->exits[vcpu], 0);
    skeleton_->bss->window_growths[vcpu] = 0;
    skeleton_->bss->window_shrinks[vcpu] = 0;
  }
}

Result<ExitCounts> BpfExitCounter::Read() {
  DisarmVcpus(skeleton_->bss->armed);
  ExitCounts counts;
  for (size_t vcpu = 0; vcpu < vcpus_; ++vcpu) {
    AddVcpuExits(module_, skeleton_->bss->exits[vcpu], counts);
  }
  const uint64_t growths = SumOfFirst(vcpus_, skeleton_->bss->window_growths);
  const uint64_t shrinks = SumOfFirst(vcpus_, skeleton_->bss->window_shrinks);
  counts.window_growths = growths;
  counts.window_shrinks = shrinks;
  counts.window_updates = growths + shrinks;
  PLECTL_ASSIGN_OR_RETURN(counts.lost_because, misses_.LostBecause());
  return counts;
}

void Configure(const PidNamespace& pid_namespace, KvmModule module,
               const ExitCodeLocation& location, exit_counter& skeleton) {
  skeleton.rodata->pid_namespace_dev = pid_namespace.dev;
  skeleton.rodata->pid_namespace_inode = pid_namespace.inode;
  skeleton.rodata->is_svm = module == KvmModule::kAmd ? 1 : 0;
  skeleton.rodata->vmcb_offset = location.vmcb_offset;
  skeleton.rodata->exit_code_offset = location.exit_code_offset;
}

}  // namespace

Result<std::unique_ptr<ExitCounter>> OpenBpfExitCounter(const HostRoot& root, KvmModule module) {
  PLECTL_ASSIGN_OR_RETURN(const PidNamespace pid_namespace, OwnPidNamespace(root));
  PLECTL_ASSIGN_OR_RETURN(const ExitCodeLocation location, FindExitCode(root, module));
  const LibbpfLog log;
  Skeleton skeleton(exit_counter::open());
  if (skeleton == nullptr) return BpfFailure("open the BPF exit counter", errno, log);
  Configure(pid_namespace, module, location, *skeleton);
  if (const int error = exit_counter::load(skeleton.get()); error != 0) {
    return BpfFailure("load the BPF exit counter", -error, log);
  }
  if (const int error = exit_counter::attach(skeleton.get()); error != 0) {
    return BpfFailure("attach the BPF exit counter to kvm:kvm_exit", -error, log);
  }
  return std::make_unique<BpfExitCounter>(module, std::move(skeleton));
}

}  // namespace plectl::host
