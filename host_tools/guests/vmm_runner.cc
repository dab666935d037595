// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vmm_runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"
#include "host_tools/guests/boot_block.h"
#include "host_tools/guests/contention.h"
#include "host_tools/guests/embedded_payload.h"
#include "host_tools/guests/host_side.h"
#include "host_tools/guests/result_check.h"
#include "host_tools/guests/thread_control.h"
#include "host_tools/guests/vcpu_group.h"
#include "host_tools/guests/vm.h"
#include "host_tools/guests/vm_summary.h"
#include "host_tools/guests/workload_check.h"

namespace plectl::guests {
namespace {

Result<Vm> MakeVm(const Kvm& kvm, const PayloadImage& payload, const GuestRequest& request,
                  uint32_t index, uint32_t first_vcpu) {
  const Vm::Options options{.first_vcpu = first_vcpu,
                            .vcpus = request.workload.vcpus,
                            .entry = payload.entry(),
                            .memory_size = PLECTL_MEMORY_SIZE,
                            .pause_exits_disabled = request.pause_exits_disabled,
                            .has_host_tsc = request.workload.vms > 1};
  PLECTL_ASSIGN_OR_RETURN(Vm vm, Vm::Create(kvm, options));
  const MemoryImage image = payload.Memory(request.relax, BootBlockOf(request, index, first_vcpu));
  PLECTL_RETURN_IF_ERROR(vm.memory().Write(image.address, image.bytes));
  PLECTL_RETURN_IF_ERROR(vm.memory().Populate(image.address + image.bytes.size(), payload.end()));
  return vm;
}

Result<std::vector<Vm>> MakeVms(const PayloadImage& payload, const GuestRequest& request,
                                uint32_t index) {
  PLECTL_ASSIGN_OR_RETURN(const Kvm kvm, Kvm::Open());
  std::vector<Vm> vms;
  for (uint32_t vm = 0; vm < request.workload.vms; ++vm) {
    const uint32_t first_vcpu = vm * request.workload.vcpus;
    PLECTL_ASSIGN_OR_RETURN(Vm made, MakeVm(kvm, payload, request, index, first_vcpu));
    vms.push_back(std::move(made));
  }
  return vms;
}

// Each VM by itself: vCPUs of different ones share no lock.
void SummarizeContention(size_t vcpus_each, GuestResult& result) {
  std::vector<Contention> contentions;
  for (size_t vm = 0; vm < result.vms.size(); ++vm) {
    const std::span<const VcpuResult> vcpus = result.vcpus;
    contentions.push_back(ContentionOf(vcpus.subspan(vm * vcpus_each, vcpus_each)));
    result.vms[vm].contention = contentions.back();
    if (!result.not_contended_because.empty()) continue;
    result.not_contended_because =
        WhyNotContended(contentions.back(), static_cast<uint32_t>(vcpus_each));
  }
  result.all.contention = ContentionOfAll(contentions);
}

void Summarize(const PayloadInfo& payload, size_t vms, GuestResult& result) {
  const std::span<const VcpuResult> vcpus = result.vcpus;
  const size_t vcpus_each = vcpus.size() / vms;
  const auto summarize = [&](std::span<const VcpuResult> some) {
    return SummarizeVm(some, payload.has_rounds, result.tsc_khz);
  };
  result.all = summarize(vcpus);
  for (size_t vm = 0; vm < vms; ++vm) {
    result.vms.push_back(summarize(vcpus.subspan(vm * vcpus_each, vcpus_each)));
  }
  if (payload.has_rounds && payload.min_vcpus > 1) SummarizeContention(vcpus_each, result);
}

// What the observer may want after the guest's end. `ran`: the guest came to it.
Status CloseObserved(VcpuGroup& group, const HostSide& host, GuestObserver& observer, bool ran,
                     std::chrono::milliseconds deadline) {
  if (!ran || !observer.wants_closing_entry()) return observer.OnClosed(0);
  const Status entered = group.EnterOnceMore(deadline);
  Status closed = observer.OnClosed(host.UnexpectedExitsSinceEnd());
  PLECTL_RETURN_IF_ERROR(entered);
  return closed;
}

// The guest's measured part, with the observer around it. OnFinished() and OnClosed() follow every
// OnReady() that succeeded; the guest's own failure is the one that is reported.
Status RunObserved(VcpuGroup& group, HostSide& host, GuestObserver& observer,
                   const GuestRequest& request, GuestResult& result) {
  const std::vector<pid_t> tids = group.Tids();
  host.Begin(tids);
  PLECTL_RETURN_IF_ERROR(observer.OnReady(::getpid(), tids));
  const Stopwatch stopwatch;
  const Status ran = group.RunToEnd(request.deadline);
  result.run_ns = stopwatch.ElapsedNs();
  const Status finished = observer.OnFinished();
  host.End(tids);
  Status closed = CloseObserved(group, host, observer, ran.has_value(), request.deadline);
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

Result<std::vector<VcpuResult>> ReadResult(Vm& vm, const PayloadImage& payload,
                                           const PayloadInfo& info, const Workload& workload) {
  PLECTL_ASSIGN_OR_RETURN(const auto block,
                          vm.memory().Read<plectl_result_block>(payload.result_block()));
  PLECTL_ASSIGN_OR_RETURN(const auto histograms,
                          ReadHistograms(vm.memory(), payload.wait_histograms(), workload.vcpus));
  return CheckResultBlock(block, histograms, info, workload);
}

Status CollectResult(std::span<Vm> vms, const VcpuGroup& group, const HostSide& host,
                     const PayloadImage& payload, const PayloadInfo& info, const Workload& workload,
                     GuestResult& result) {
  for (size_t i = 0; i < vms.size(); ++i) {
    auto vcpus = ReadResult(vms[i], payload, info, workload);
    if (!vcpus) {
      Error error = WithPlaces(group, vcpus.error());
      return Fail(vms.size() == 1 ? error : WithContext(fmt::format("VM {}", i), error));
    }
    for (VcpuResult& vcpu : *vcpus) vcpu.vm = static_cast<uint32_t>(i);
    std::ranges::move(*vcpus, std::back_inserter(result.vcpus));
  }
  PLECTL_ASSIGN_OR_RETURN(result.tsc_khz, vms.front().vcpus().front().TscKhz());
  Summarize(info, vms.size(), result);
  host.AddTo(group, result);
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
    PLECTL_ASSIGN_OR_RETURN(std::vector<Vm> vms, MakeVms(payload_, request, index));
    HostSide host(vms);
    PLECTL_ASSIGN_OR_RETURN(const auto group, VcpuGroup::Start(vms, request.workload, request.phase,
                                                               payload_.result_block()));
    PLECTL_RETURN_IF_ERROR(group->AwaitReady(request.deadline));
    result.setup_ns = stopwatch.Restart();
    PLECTL_RETURN_IF_ERROR(RunObserved(*group, host, observer, request, result));
    PLECTL_RETURN_IF_ERROR(CollectResult(vms, *group, host, payload_, payload_.payloads()[index],
                                         request.workload, result));
    stopwatch.Restart();
  }
  result.teardown_ns = stopwatch.ElapsedNs();
  return result;
}

}  // namespace plectl::guests
