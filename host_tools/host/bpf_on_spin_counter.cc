// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_on_spin_counter.h"

#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "host_tools/host/bpf/on_spin_counter.skel.h"
#include "host_tools/host/bpf_support.h"

namespace plectl::host {
namespace {

using Skeleton = SkeletonPtr<on_spin_counter>;

enum class Hook { kFentry, kKprobe };

std::string_view CounterName(Hook hook) {
  return hook == Hook::kFentry ? "bpf-on-spin" : "bpf-on-spin-kprobe";
}

class BpfOnSpinCounter : public ExitCounter {
 public:
  BpfOnSpinCounter(Hook hook, Skeleton skeleton) : hook_(hook), skeleton_(std::move(skeleton)) {}

  [[nodiscard]] std::string_view name() const override { return CounterName(hook_); }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override;
  Result<ExitCounts> Read() override;

 private:
  Hook hook_;
  Skeleton skeleton_;
  MissWatch misses_;
  size_t vcpus_ = 0;
};

Status BpfOnSpinCounter::Arm(pid_t tgid, std::span<const pid_t> tids) {
  DisarmVcpus(skeleton_->bss->armed);
  std::ranges::fill(skeleton_->bss->pause_exits, 0);
  vcpus_ = tids.size();
  PLECTL_RETURN_IF_ERROR(misses_.Start({hook_ == Hook::kFentry ? skeleton_->progs.on_spin_fentry
                                                               : skeleton_->progs.on_spin_kprobe}));
  return ArmVcpus(tgid, tids, skeleton_->bss->armed);
}

Result<ExitCounts> BpfOnSpinCounter::Read() {
  DisarmVcpus(skeleton_->bss->armed);
  ExitCounts counts;
  counts.by_reason_missing_because = "this observer counts PAUSE exits only";
  const std::span counted(skeleton_->bss->pause_exits, vcpus_);
  counts.pause_exits_by_vcpu.assign(counted.begin(), counted.end());
  counts.pause_exits = std::accumulate(counted.begin(), counted.end(), uint64_t{0});
  PLECTL_ASSIGN_OR_RETURN(counts.lost_because, misses_.LostBecause());
  return counts;
}

Result<std::unique_ptr<ExitCounter>> OpenWith(Hook hook, const PidNamespace& pid_namespace) {
  const std::string what = fmt::format("counter {} on kvm_vcpu_on_spin", CounterName(hook));
  const LibbpfLog log;
  Skeleton skeleton(on_spin_counter::open());
  if (skeleton == nullptr) return BpfFailure("open " + what, errno, log);
  skeleton->rodata->pid_namespace_dev = pid_namespace.dev;
  skeleton->rodata->pid_namespace_inode = pid_namespace.inode;
  bpf_program__set_autoload(skeleton->progs.on_spin_fentry, hook == Hook::kFentry);
  bpf_program__set_autoload(skeleton->progs.on_spin_kprobe, hook == Hook::kKprobe);
  if (const int error = on_spin_counter::load(skeleton.get()); error != 0) {
    return BpfFailure("load " + what, -error, log);
  }
  if (const int error = on_spin_counter::attach(skeleton.get()); error != 0) {
    return BpfFailure("attach " + what, -error, log);
  }
  return std::make_unique<BpfOnSpinCounter>(hook, std::move(skeleton));
}

}  // namespace

Result<std::unique_ptr<ExitCounter>> OpenBpfOnSpinCounter(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const PidNamespace pid_namespace, OwnPidNamespace(root));
  auto counter = OpenWith(Hook::kFentry, pid_namespace);
  return counter ? std::move(counter) : OpenWith(Hook::kKprobe, pid_namespace);
}

}  // namespace plectl::host
