// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/sampler.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "host_tools/base/clock.h"
#include "host_tools/host/module_holders.h"

namespace plectl::monitor {
namespace {

// The kernel tells which threads end, unless it skips the program that does: /proc is asked about
// so many per round, in turn.
constexpr uint64_t kVerifiedPerRound = 256;

// The kernel's own conversion (nsec_to_clock_t).
uint64_t StartTicks(const VcpuCounts& counts) {
  constexpr uint64_t kNsPerS = 1'000'000'000;
  return counts.start_boottime_ns / (kNsPerS / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace

VcpuKey KeyOf(const VcpuCounts& counts) {
  return {.thread = thread_key(counts.tid, counts.start_boottime_ns),
          .vcpu = counts.is_other != 0 ? counts.vcpu : 0};
}

bool Sampler::InTime() {
  in_time_ = in_time_ && MonotonicNs() <= deadline_ns_;
  return in_time_;
}

void Sampler::BeginRound(int64_t deadline_ns) {
  deadline_ns_ = deadline_ns;
  in_time_ = true;
  position_ = dropped_vcpus_ = vcpus_ = 0;
  counts_known_ = false;
  table_.DropEnded([this] { return InTime(); });
  for (auto& [pid, vm] : table_.records()) {
    vm.live = {};
    vcpus_ += vm.vcpus.size();
    for (VcpuRecord& vcpu : vm.vcpus) vcpu.all = vcpu.ended;
  }
}

Result<bool> Sampler::Update(KernelCounts& kernel, int64_t deadline_ns) {
  BeginRound(deadline_ns);
  const Status read =
      kernel.ForEachThread([&](const VcpuCounts& counts) { Visit(kernel, counts); });
  kernel.Forget(to_forget_);
  to_forget_.clear();
  ended_threads_.clear();
  verify_from_ =
      verify_from_ + kVerifiedPerRound < position_ ? verify_from_ + kVerifiedPerRound : 0;
  PLECTL_RETURN_IF_ERROR(read);
  counts_known_ = true;
  return in_time_;
}

bool Sampler::UpdateWithoutCounts(int64_t deadline_ns) {
  BeginRound(deadline_ns);
  counts_known_ = true;
  return in_time_;
}

void Sampler::ScanOpenFiles() {
  const auto processes = host::VmProcesses(root_);
  if (!processes) return;
  for (const pid_t pid : *processes) table_.Find(pid);
}

VcpuRecord* Sampler::FindVcpu(VmRecord& vm, uint32_t id) {
  const auto place = std::ranges::lower_bound(vm.vcpus, id, {}, &VcpuRecord::id);
  if (place != vm.vcpus.end() && place->id == id) return &*place;
  if (vcpus_ >= options_.vcpus_max) return nullptr;
  ++vcpus_;
  VcpuRecord vcpu;
  vcpu.id = id;
  if (options_.per_vcpu_reasons) vcpu.ended.exits = std::vector<uint64_t>(kSlots);
  vcpu.all = vcpu.ended;
  return &*vm.vcpus.insert(place, std::move(vcpu));
}

bool Sampler::HasEnded(const VcpuCounts& counts) {
  const bool is_turn = position_ >= verify_from_ && position_ < verify_from_ + kVerifiedPerRound;
  ++position_;
  if (counts.ended != 0 || ended_threads_.contains(KeyOf(counts).thread)) return true;
  return is_turn && InTime() &&
         !table_.files().MayThreadLive(static_cast<pid_t>(counts.tgid),
                                       static_cast<pid_t>(counts.tid), StartTicks(counts));
}

void Sampler::Visit(KernelCounts& kernel, const VcpuCounts& counts) {
  const bool ended = HasEnded(counts);
  if (ended) {
    to_forget_.push_back(KeyOf(counts));
    ended_threads_.insert(KeyOf(counts).thread);
  }
  const auto pid = static_cast<pid_t>(counts.tgid);
  VmRecord* vm = InTime() ? table_.Find(pid) : table_.FindKnown(pid);
  // A thread that is older than the process is one of a process that has ended.
  if (vm == nullptr || StartTicks(counts) < vm->start_ticks) return;
  vm->is_counted = true;
  VcpuRecord* vcpu = FindVcpu(*vm, counts.vcpu_id);
  if (vcpu == nullptr && !ended) ++dropped_vcpus_;
  if (!ended) {
    vm->live.Add(counts);
    if (vcpu != nullptr) vcpu->all.Add(counts, pause_slot_);
    return;
  }
  // Once more, now that it cannot grow any longer.
  const VcpuCounts final = kernel.Find(KeyOf(counts)).value_or(counts);
  vm->ended.Add(final);
  if (vcpu == nullptr) return;
  vcpu->ended.Add(final, pause_slot_);
  vcpu->all.Add(final, pause_slot_);
}

void Sampler::Fold(KernelCounts& kernel) {
  if (!Update(kernel, std::numeric_limits<int64_t>::max())) return;
  for (auto& [pid, vm] : table_.records()) {
    vm.ended.Add(vm.live);
    vm.live = {};
    for (VcpuRecord& vcpu : vm.vcpus) vcpu.ended = vcpu.all;
  }
}

}  // namespace plectl::monitor
