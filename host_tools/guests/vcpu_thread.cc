// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vcpu_thread.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstddef>
#include <system_error>

#include "guest_workloads/abi/abi.h"
#include "host_tools/guests/start_phase.h"
#include "host_tools/guests/thread_clocks.h"
#include "host_tools/guests/vcpu_exit.h"

namespace plectl::guests {

VcpuThread::VcpuThread(const Options& options, Vcpu& vcpu, const GuestMemory& memory, Gate& gate)
    : options_(options), vcpu_(vcpu), memory_(memory), gate_(gate) {}

void VcpuThread::Join() {
  if (thread_.joinable()) thread_.join();
}

Status VcpuThread::Start() {
  try {
    thread_ = std::thread([this] { Main(); });
  } catch (const std::system_error& error) {
    return Environment(
        fmt::format("starting the thread of vCPU {}: {}", options_.id, error.what()));
  }
  return OkStatus();
}

void VcpuThread::Kick() {
  vcpu_.RequestExit();
  if (thread_.joinable()) ::pthread_kill(thread_.native_handle(), kKickSignal);
}

std::string VcpuThread::DescribePlace() const {
  return fmt::format("vCPU {}: {}{}", options_.id, done_ ? "done, " : "", place_);
}

void VcpuThread::Main() {
  tid_ = ::gettid();
  Status status = Live();
  place_ = fmt::format("{} at {}", LastExitName(vcpu_.run_area()), vcpu_.DescribePlace());
  if (gate_.Park(std::move(status))) gate_.ParkForGood(Close());
}

Status VcpuThread::Close() {
  constexpr uint32_t kContinued =
      PLECTL_COMMAND_ABORT | (PLECTL_ABORT_CONTINUED << PLECTL_ABORT_SHIFT);
  PLECTL_RETURN_IF_ERROR(RunUntil(kContinued));
  return OkStatus();
}

Status VcpuThread::Live() {
  PLECTL_RETURN_IF_ERROR(PlaceThread(options_.cpu, options_.scheduling));
  const OwnRunDelay run_delay;
  PLECTL_ASSIGN_OR_RETURN(const bool ready, RunUntil(PLECTL_COMMAND_SYNC));
  if (!ready || !gate_.AwaitRelease()) return OkStatus();
  SpinFor(options_.spin);
  run_delay_at_start_ns_ = run_delay.Read();
  const ThreadUsage begin = UsageOfThisThread();
  PLECTL_ASSIGN_OR_RETURN(done_, RunUntil(PLECTL_COMMAND_DONE));
  usage_ = UsageOfThisThread() - begin;
  return OkStatus();
}

Result<bool> VcpuThread::RunUntil(uint32_t command) {
  while (!gate_.stopping()) {
    PLECTL_ASSIGN_OR_RETURN(const Vcpu::RunEnd end, vcpu_.Run());
    if (end == Vcpu::RunEnd::kInterrupted) continue;
    if (GuestCommand(vcpu_.run_area()) == command) return true;
    PLECTL_RETURN_IF_ERROR(ExplainExit());
  }
  return false;
}

Status VcpuThread::ExplainExit() const {
  const auto command = GuestCommand(vcpu_.run_area());
  if (command) return ExplainCommand(*command);
  return Misbehaved(DescribeExit(vcpu_.run_area()));
}

Status VcpuThread::ExplainCommand(uint32_t command) const {
  if ((command & PLECTL_COMMAND_MASK) != PLECTL_COMMAND_ABORT) {
    return Misbehaved(
        fmt::format("unexpected command {:#x} on the control port (KVM_EXIT_IO)", command));
  }
  const uint64_t address = options_.result_block + offsetof(plectl_result_block, vcpus) +
                           options_.index * sizeof(plectl_vcpu_result);
  PLECTL_ASSIGN_OR_RETURN(const auto result, memory_.Read<plectl_vcpu_result>(address));
  return Misbehaved(fmt::format("the guest aborted: {} (KVM_EXIT_IO)",
                                DescribeAbort(command >> PLECTL_ABORT_SHIFT, result)));
}

Failure VcpuThread::Misbehaved(const std::string& what) const {
  return Inconclusive(fmt::format("vCPU {}: {}; {}", options_.id, what, vcpu_.DescribePlace()),
                      "the payload is broken; run it with the embedded payload to compare");
}

}  // namespace plectl::guests
