// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/sampler.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "host_tools/base/clock.h"
#include "host_tools/host/module_holders.h"

namespace plectl::monitor {
namespace {

// The kernel's own conversion (nsec_to_clock_t).
uint64_t StartTicks(uint64_t start_boottime_ns) {
  constexpr uint64_t kNsPerS = 1'000'000'000;
  return start_boottime_ns / (kNsPerS / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
}

ThreadId IdOf(const VcpuCounts& counts) {
  return {.pid = static_cast<pid_t>(counts.tgid),
          .tid = static_cast<pid_t>(counts.tid),
          .key = thread_key(counts.tid, counts.start_boottime_ns),
          .start_ticks = StartTicks(counts.start_boottime_ns)};
}

VcpuThread& FindThread(VcpuRecord& vcpu, const ThreadId& id) {
  const auto found = std::ranges::find(vcpu.threads, id.key, &VcpuThread::key);
  if (found != vcpu.threads.end()) return *found;
  return vcpu.threads.emplace_back(VcpuThread{.key = id.key, .start_ticks = id.start_ticks});
}

void AddExits(const VcpuCounts& counts, std::vector<uint64_t>& exits) {
  for (size_t i = 0; i < exits.size(); ++i) exits[i] += counts.exits[i];
}

void AddEndedTimes(const ThreadTimes& times, ThreadTimes& ended) {
  ended.user_ticks += times.user_ticks;
  ended.system_ticks += times.system_ticks;
  ended.guest_ticks += times.guest_ticks;
  if (ended.run_delay_ns) *ended.run_delay_ns += times.run_delay_ns.value_or(0);
}

}  // namespace

void Sampler::BeginRound() {
  ++round_;
  position_ = stopped_at_ = dropped_vcpus_ = vcpus_ = 0;
  counts_known_ = false;
  table_.DropEnded();
  for (auto& [pid, vm] : table_.records()) {
    vm.live = {};
    vcpus_ += vm.vcpus.size();
    for (VcpuRecord& vcpu : vm.vcpus) {
      vcpu.pause_exits = vcpu.ended_pause_exits;
      vcpu.exits = vcpu.ended_exits;
    }
  }
}

bool Sampler::EndRound(int64_t deadline_ns) {
  RefreshUnseen(deadline_ns);
  first_due_ = stopped_at_;
  return stopped_at_ == 0;
}

Result<bool> Sampler::Update(KernelCounts& kernel, int64_t deadline_ns) {
  BeginRound();
  const Status read =
      kernel.ForEachThread([&](const VcpuCounts& counts) { Visit(kernel, counts, deadline_ns); });
  kernel.Forget(to_forget_);
  to_forget_.clear();
  counts_known_ = read.has_value();
  const bool complete = EndRound(deadline_ns);
  PLECTL_RETURN_IF_ERROR(read);
  return complete;
}

bool Sampler::UpdateWithoutCounts(int64_t deadline_ns) {
  BeginRound();
  counts_known_ = true;
  return EndRound(deadline_ns);
}

void Sampler::ScanOpenFiles() {
  const auto processes = host::VmProcesses(root_);
  if (!processes) return;
  for (const pid_t pid : *processes) table_.Find(pid);
}

// Two spans of threads take turns when the time is never enough for all.
bool Sampler::IsDue(int64_t deadline_ns) {
  const uint64_t position = position_++;
  if (position < first_due_) return false;
  if (stopped_at_ == 0 && MonotonicNs() > deadline_ns)
    stopped_at_ = std::max<uint64_t>(position, 1);
  return stopped_at_ == 0;
}

VcpuRecord* Sampler::FindVcpu(VmRecord& vm, uint32_t id) {
  const auto place = std::ranges::lower_bound(vm.vcpus, id, {}, &VcpuRecord::id);
  if (place != vm.vcpus.end() && place->id == id) return &*place;
  if (vcpus_ >= options_.vcpus_max) return nullptr;
  ++vcpus_;
  VcpuRecord vcpu;
  vcpu.id = id;
  if (options_.per_vcpu_reasons) vcpu.exits = vcpu.ended_exits = std::vector<uint64_t>(kSlots);
  return &*vm.vcpus.insert(place, std::move(vcpu));
}

void Sampler::AddLive(VmRecord& vm, VcpuRecord* vcpu, const VcpuCounts& counts) {
  vm.live.Add(counts);
  if (vcpu == nullptr) {
    ++dropped_vcpus_;
    return;
  }
  vcpu->pause_exits += counts.exits[pause_slot_];
  AddExits(counts, vcpu->exits);
}

void Sampler::AddEnded(VmRecord& vm, VcpuRecord* vcpu, const VcpuCounts& counts) {
  vm.ended.Add(counts);
  if (vcpu == nullptr) return;
  vcpu->ended_pause_exits += counts.exits[pause_slot_];
  vcpu->pause_exits += counts.exits[pause_slot_];
  AddExits(counts, vcpu->ended_exits);
  AddExits(counts, vcpu->exits);
}

void Sampler::Retire(KernelCounts& kernel, VmRecord& vm, VcpuRecord* vcpu,
                     const VcpuCounts& counts) {
  const uint64_t key = IdOf(counts).key;
  to_forget_.push_back(key);
  // Once more, now that it cannot grow any longer.
  AddEnded(vm, vcpu, kernel.Find(key).value_or(counts));
  if (vcpu == nullptr) return;
  const auto thread = std::ranges::find(vcpu->threads, key, &VcpuThread::key);
  if (thread == vcpu->threads.end()) return;
  if (thread->times) AddEndedTimes(*thread->times, vcpu->ended_times);
  vcpu->threads.erase(thread);
}

ThreadState Sampler::ReadTimes(const ThreadId& id, ThreadTimes& times) {
  const ThreadState state = table_.files().ReadThread(id.pid, id.tid, times);
  // Else its id is another thread's by now.
  const bool same = state != ThreadState::kThere || times.start_ticks == id.start_ticks;
  return same ? state : ThreadState::kGone;
}

void Sampler::Visit(KernelCounts& kernel, const VcpuCounts& counts, int64_t deadline_ns) {
  const ThreadId id = IdOf(counts);
  VmRecord* vm = table_.Find(id.pid);
  ThreadTimes times;
  const ThreadState state = IsDue(deadline_ns) ? ReadTimes(id, times) : ThreadState::kUnreadable;
  // Of a VM that has ended, even when its process id is another VM's by now.
  if (vm == nullptr || id.start_ticks < vm->start_ticks) {
    if (state == ThreadState::kGone) to_forget_.push_back(id.key);
    return;
  }
  vm->is_counted = true;
  VcpuRecord* vcpu = FindVcpu(*vm, counts.vcpu_id);
  if (state == ThreadState::kGone) {
    Retire(kernel, *vm, vcpu, counts);
    return;
  }
  AddLive(*vm, vcpu, counts);
  if (vcpu == nullptr) return;
  VcpuThread& thread = FindThread(*vcpu, id);
  thread.round = round_;
  if (state == ThreadState::kThere) thread.times = times;
}

// Threads that have made no exit since the probes were attached again.
void Sampler::RefreshUnseen(VmRecord& vm, VcpuRecord& vcpu, int64_t deadline_ns) {
  std::erase_if(vcpu.threads, [&](VcpuThread& thread) {
    if (thread.round == round_ || !IsDue(deadline_ns)) return false;
    ThreadTimes times;
    const ThreadId id{.pid = vm.pid,
                      .tid = static_cast<pid_t>(thread.key & ((1U << kTidBits) - 1)),
                      .key = thread.key,
                      .start_ticks = thread.start_ticks};
    const ThreadState state = ReadTimes(id, times);
    if (state == ThreadState::kThere) thread.times = times;
    if (state == ThreadState::kGone && thread.times) {
      AddEndedTimes(*thread.times, vcpu.ended_times);
    }
    return state == ThreadState::kGone;
  });
}

void Sampler::RefreshUnseen(int64_t deadline_ns) {
  for (auto& [pid, vm] : table_.records()) {
    for (VcpuRecord& vcpu : vm.vcpus) RefreshUnseen(vm, vcpu, deadline_ns);
  }
}

void Sampler::Fold(KernelCounts& kernel) {
  if (!Update(kernel, std::numeric_limits<int64_t>::max())) return;
  for (auto& [pid, vm] : table_.records()) {
    vm.ended.Add(vm.live);
    vm.live = {};
    for (VcpuRecord& vcpu : vm.vcpus) {
      vcpu.ended_pause_exits = vcpu.pause_exits;
      vcpu.ended_exits = vcpu.exits;
    }
  }
}

}  // namespace plectl::monitor
