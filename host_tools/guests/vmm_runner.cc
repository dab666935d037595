// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vmm_runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"
#include "host_tools/guests/boot_block.h"
#include "host_tools/guests/embedded_payload.h"
#include "host_tools/guests/exit_statistic.h"
#include "host_tools/guests/result_check.h"
#include "host_tools/guests/thread_control.h"
#include "host_tools/guests/vcpu_group.h"
#include "host_tools/guests/vm.h"
#include "host_tools/guests/vm_summary.h"
#include "host_tools/guests/workload_check.h"

namespace plectl::guests {
namespace {

Result<Vm> MakeVm(const PayloadImage& payload, const GuestRequest& request, uint32_t index) {
  PLECTL_ASSIGN_OR_RETURN(const Kvm kvm, Kvm::Open());
  const Vm::Options options{request.workload.vcpus, payload.entry(), PLECTL_MEMORY_SIZE};
  PLECTL_ASSIGN_OR_RETURN(Vm vm, Vm::Create(kvm, options));
  const MemoryImage image = payload.Memory(request.relax, BootBlockOf(request, index));
  PLECTL_RETURN_IF_ERROR(vm.memory().Write(image.address, image.bytes));
  PLECTL_RETURN_IF_ERROR(vm.memory().Populate(image.address + image.bytes.size(), payload.end()));
  return vm;
}

// KVM's own exit counts between two moments at which no vCPU runs.
class ExitDeltas {
 public:
  explicit ExitDeltas(Vm& vm) {
    for (const Vcpu& vcpu : vm.vcpus()) statistics_.emplace_back(vcpu.fd());
  }
  void Begin() { begin_ = ReadAll(); }
  void End() { end_ = ReadAll(); }
  // Of one vCPU, from Begin() to End().
  [[nodiscard]] Count Between(size_t vcpu) const { return Difference(begin_[vcpu], end_[vcpu]); }
  // Of all vCPUs, from End() to now, less the one of each that is expected.
  [[nodiscard]] Count UnexpectedSinceEnd() const {
    uint64_t total = 0;
    for (size_t vcpu = 0; vcpu < statistics_.size(); ++vcpu) {
      Count since = Difference(end_[vcpu], statistics_[vcpu].Read());
      if (!since.has_value()) return since;
      total += since.value();
    }
    return total - statistics_.size();
  }

 private:
  static Count Difference(const Count& begin, const Count& end) {
    if (!end.has_value() || !begin.has_value()) return end.has_value() ? begin : end;
    return end.value() - begin.value();
  }
  [[nodiscard]] std::vector<Count> ReadAll() const {
    std::vector<Count> counts;
    for (const ExitStatistic& statistic : statistics_) counts.push_back(statistic.Read());
    return counts;
  }

  std::vector<ExitStatistic> statistics_;
  std::vector<Count> begin_;
  std::vector<Count> end_;
};

void AddHostSide(const VcpuGroup& group, const ExitDeltas& exits, std::vector<VcpuResult>& vcpus) {
  for (size_t id = 0; id < vcpus.size(); ++id) {
    const ThreadUsage& usage = group.usage(id);
    vcpus[id].kvm_exits = exits.Between(id);
    vcpus[id].involuntary_switches = usage.involuntary_switches;
    vcpus[id].voluntary_switches = usage.voluntary_switches;
    vcpus[id].user_ns = usage.user_ns;
    vcpus[id].system_ns = usage.system_ns;
  }
}

// What the payload gets done: acquisitions, or relax instructions where that is all it does.
uint64_t WorkDone(const std::vector<VcpuResult>& vcpus, const PayloadInfo& payload) {
  uint64_t work = 0;
  for (const VcpuResult& vcpu : vcpus) work += payload.has_rounds ? vcpu.acquisitions : vcpu.spins;
  return work;
}

void AddRates(const PayloadInfo& payload, GuestResult& result) {
  const auto start = std::ranges::min(result.vcpus, {}, &VcpuResult::tsc_start).tsc_start;
  const auto end = std::ranges::max(result.vcpus, {}, &VcpuResult::tsc_end).tsc_end;
  result.elapsed_tsc_cycles = end - start;
  if (result.elapsed_tsc_cycles == 0) return;
  const double seconds =
      static_cast<double>(result.elapsed_tsc_cycles) / (static_cast<double>(result.tsc_khz) * 1e3);
  result.throughput_per_s = static_cast<double>(WorkDone(result.vcpus, payload)) / seconds;
}

// What the observer may want after the guest's end. `ran`: the guest came to it.
Status CloseObserved(VcpuGroup& group, const ExitDeltas& exits, GuestObserver& observer, bool ran,
                     std::chrono::milliseconds deadline) {
  if (!ran || !observer.wants_closing_entry()) return observer.OnClosed(0);
  const Status entered = group.EnterOnceMore(deadline);
  Status closed = observer.OnClosed(exits.UnexpectedSinceEnd());
  PLECTL_RETURN_IF_ERROR(entered);
  return closed;
}

// The guest's measured part, with the observer around it. OnFinished() and OnClosed() follow every
// OnReady() that succeeded; the guest's own failure is the one that is reported.
Status RunObserved(VcpuGroup& group, ExitDeltas& exits, GuestObserver& observer,
                   const GuestRequest& request, GuestResult& result) {
  const std::vector<pid_t> tids = group.Tids();
  PLECTL_RETURN_IF_ERROR(observer.OnReady(::getpid(), tids));
  exits.Begin();
  const Stopwatch stopwatch;
  const Status ran = group.RunToEnd(request.deadline);
  result.run_ns = stopwatch.ElapsedNs();
  const Status finished = observer.OnFinished();
  exits.End();
  Status closed = CloseObserved(group, exits, observer, ran.has_value(), request.deadline);
  PLECTL_RETURN_IF_ERROR(ran);
  PLECTL_RETURN_IF_ERROR(finished);
  return closed;
}

Result<std::vector<plectl_wait_histogram>> ReadHistograms(const GuestMemory& memory,
                                                          uint64_t address, uint32_t vcpus) {
  std::vector<plectl_wait_histogram> histograms;
  for (uint32_t id = 0; id < vcpus; ++id) {
    const uint64_t at = address + id * sizeof(plectl_wait_histogram);
    PLECTL_ASSIGN_OR_RETURN(const auto histogram, memory.Read<plectl_wait_histogram>(at));
    histograms.push_back(histogram);
  }
  return histograms;
}

// The last word on a guest whose result cannot be used.
Error WithPlaces(const VcpuGroup& group, Error error) {
  error.message += fmt::format("; {}", group.DescribePlaces());
  return error;
}

Status CollectResult(Vm& vm, const VcpuGroup& group, const ExitDeltas& exits,
                     const PayloadImage& payload, const PayloadInfo& info, const Workload& workload,
                     GuestResult& result) {
  PLECTL_ASSIGN_OR_RETURN(const auto block,
                          vm.memory().Read<plectl_result_block>(payload.result_block()));
  PLECTL_ASSIGN_OR_RETURN(const auto histograms,
                          ReadHistograms(vm.memory(), payload.wait_histograms(), workload.vcpus));
  auto vcpus = CheckResultBlock(block, histograms, info, workload);
  if (!vcpus) return Fail(WithPlaces(group, vcpus.error()));
  result.vcpus = std::move(*vcpus);
  AddHostSide(group, exits, result.vcpus);
  PLECTL_ASSIGN_OR_RETURN(result.tsc_khz, vm.vcpus().front().TscKhz());
  AddRates(info, result);
  result.fairness_jain = FairnessJain(result.vcpus);
  result.waits = SummarizeWaits(result.vcpus);
  return OkStatus();
}

}  // namespace

Result<GuestResult> VmmRunner::Run(const GuestRequest& request, GuestObserver& observer) {
  PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  PLECTL_ASSIGN_OR_RETURN(const uint32_t index, CheckWorkload(payload_, request.workload));
  PLECTL_RETURN_IF_ERROR(CheckRelaxTscCycles(request.relax_tsc_cycles));
  GuestResult result;
  Stopwatch stopwatch;
  PLECTL_ASSIGN_OR_RETURN(const auto priority,
                          CoordinatorPriority::Raise(request.workload.scheduling));
  {
    PLECTL_ASSIGN_OR_RETURN(Vm vm, MakeVm(payload_, request, index));
    ExitDeltas exits(vm);
    PLECTL_ASSIGN_OR_RETURN(const auto group,
                            VcpuGroup::Start(vm, request.workload, payload_.result_block()));
    PLECTL_RETURN_IF_ERROR(group->AwaitReady(request.deadline));
    result.setup_ns = stopwatch.Restart();
    PLECTL_RETURN_IF_ERROR(RunObserved(*group, exits, observer, request, result));
    PLECTL_RETURN_IF_ERROR(CollectResult(vm, *group, exits, payload_, payload_.payloads()[index],
                                         request.workload, result));
    stopwatch.Restart();
  }
  result.teardown_ns = stopwatch.ElapsedNs();
  return result;
}

}  // namespace plectl::guests
