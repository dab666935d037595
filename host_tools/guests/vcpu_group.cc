// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vcpu_group.h"

#include <fmt/format.h>

#include "host_tools/base/stop.h"

namespace plectl::guests {

Result<std::unique_ptr<VcpuGroup>> VcpuGroup::Start(std::span<Vm> vms, const Workload& workload,
                                                    const StartPhase& phase,
                                                    uint64_t result_block) {
  PLECTL_ASSIGN_OR_RETURN(auto gate, Gate::Create(VcpusOfAllVms(workload)));
  std::unique_ptr<VcpuGroup> group(new VcpuGroup(std::move(gate)));
  const BlockedSignals blocked;
  for (uint32_t id = 0; id < VcpusOfAllVms(workload); ++id) {
    const VcpuThread::Options options{
        .id = id,
        .index = id % workload.vcpus,
        .cpu = workload.cpus[id % workload.cpus.size()],
        .scheduling = workload.scheduling,
        .spin = id < phase.spins.size() ? phase.spins[id] : std::chrono::nanoseconds(0),
        .result_block = result_block};
    PLECTL_RETURN_IF_ERROR(group->StartThread(vms[id / workload.vcpus], options));
  }
  return group;
}

Status VcpuGroup::StartThread(Vm& vm, const VcpuThread::Options& options) {
  threads_.push_back(
      std::make_unique<VcpuThread>(options, vm.vcpus()[options.index], vm.memory(), *gate_));
  if (Status started = threads_.back()->Start(); !started) {
    threads_.pop_back();
    return started;
  }
  return OkStatus();
}

VcpuGroup::~VcpuGroup() {
  gate_->Stop();
  for (const auto& thread : threads_) thread->Kick();
  gate_->End();
  for (const auto& thread : threads_) thread->Join();
}

Status VcpuGroup::AwaitReady(std::chrono::milliseconds deadline) {
  return AwaitMilestone(Gate::Milestone::kAllReady, deadline);
}

Status VcpuGroup::RunToEnd(std::chrono::milliseconds deadline) {
  gate_->Release();
  return AwaitMilestone(Gate::Milestone::kAllParked, deadline);
}

Status VcpuGroup::EnterOnceMore(std::chrono::milliseconds deadline) {
  gate_->Reopen();
  return AwaitMilestone(Gate::Milestone::kAllParked, deadline);
}

Status VcpuGroup::AwaitMilestone(Gate::Milestone milestone, std::chrono::milliseconds deadline) {
  const Gate::WaitEnd end = gate_->Wait(milestone, std::chrono::steady_clock::now() + deadline);
  if (end == Gate::WaitEnd::kReached) return OkStatus();
  Stop();
  return Explain(end, milestone, deadline);
}

Status VcpuGroup::Explain(Gate::WaitEnd end, Gate::Milestone milestone,
                          std::chrono::milliseconds deadline) {
  if (end == Gate::WaitEnd::kFailed) return Fail(gate_->failure().value());
  if (end == Gate::WaitEnd::kStopRequested) return CheckNotStopped();
  const bool booting = milestone == Gate::Milestone::kAllReady;
  return Inconclusive(fmt::format("the guest {} within its deadline of {} ms; {}",
                                  booting ? "did not reach the start barrier" : "did not end",
                                  deadline.count(), DescribePlaces()),
                      booting ? "the payload hangs while it starts"
                              : "raise deadline_ms or lower iterations; if RIP stays the same, the "
                                "payload hangs");
}

void VcpuGroup::Stop() {
  gate_->Stop();
  for (const auto& thread : threads_) thread->Kick();
  gate_->WaitAllParked();
}

std::vector<pid_t> VcpuGroup::Tids() const {
  std::vector<pid_t> tids;
  for (const auto& thread : threads_) tids.push_back(thread->tid());
  return tids;
}

std::string VcpuGroup::DescribePlaces() const {
  std::string text;
  for (const auto& thread : threads_) {
    text += fmt::format("{}{}", text.empty() ? "" : "; ", thread->DescribePlace());
  }
  return text;
}

}  // namespace plectl::guests
