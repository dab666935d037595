// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vcpu.h"

#include <fmt/format.h>

#include <atomic>
#include <cerrno>

#include "host_tools/guests/cpuid_table.h"
#include "host_tools/guests/kvm_ioctl.h"
#include "host_tools/guests/vcpu_registers.h"

namespace plectl::guests {
namespace {

std::string_view MpStateName(uint32_t state) {
  switch (state) {
    case KVM_MP_STATE_RUNNABLE:
      return "runnable";
    case KVM_MP_STATE_UNINITIALIZED:
      return "never started: waiting for INIT";
    case KVM_MP_STATE_INIT_RECEIVED:
      return "never started: waiting for SIPI";
    case KVM_MP_STATE_HALTED:
      return "halted";
    case KVM_MP_STATE_SIPI_RECEIVED:
      return "starting up";
    default:
      return "in an unknown state";
  }
}

}  // namespace

Result<Vcpu> Vcpu::Create(Fd fd, size_t map_size) {
  PLECTL_ASSIGN_OR_RETURN(Mapping run, Mapping::Shared(fd.get(), map_size));
  return Vcpu(std::move(fd), std::move(run));
}

Status Vcpu::SetCpuid(std::span<const kvm_cpuid_entry2> entries) {
  CpuidTable table(entries);
  return KVM_IOCTL(fd_, kSetCpuid2, table.header());
}

Status Vcpu::SetEntry(uint32_t entry) {
  kvm_sregs sregs{};
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL(fd_, KVM_GET_SREGS, &sregs));
  sregs = ProtectedModeSregs(sregs);
  PLECTL_RETURN_IF_ERROR(KVM_IOCTL(fd_, KVM_SET_SREGS, &sregs));
  kvm_regs regs = EntryRegs(entry);
  return KVM_IOCTL(fd_, KVM_SET_REGS, &regs);
}

Status Vcpu::SetTscOffset(uint64_t tsc_cycles) {
  kvm_device_attr attribute{};
  attribute.group = KVM_VCPU_TSC_CTRL;
  attribute.attr = KVM_VCPU_TSC_OFFSET;
  attribute.addr = reinterpret_cast<uint64_t>(&tsc_cycles);
  Status set = KVM_IOCTL(fd_, KVM_SET_DEVICE_ATTR, &attribute);
  if (!set) set.error().hint = "several VMs per trial need Linux 5.16 or newer: use vms: 1";
  return set;
}

Result<Vcpu::RunEnd> Vcpu::Run() {
  if (::ioctl(fd_.get(), KVM_RUN, 0) >= 0) return RunEnd::kExit;
  // EAGAIN: a vCPU that waited for its start-up IPI has made a step; go on.
  if (errno == EINTR || errno == EAGAIN) return RunEnd::kInterrupted;
  const int error_number = errno;
  return SystemFailure(fmt::format("ioctl KVM_RUN at {}", DescribePlace()), error_number);
}

void Vcpu::RequestExit() {
  std::atomic_ref<uint8_t>(run()->immediate_exit).store(1, std::memory_order_relaxed);
}

std::string Vcpu::DescribePlace() const {
  kvm_regs regs{};
  kvm_mp_state state{};
  if (const Status read = KVM_IOCTL(fd_, KVM_GET_REGS, &regs); !read) return read.error().message;
  if (const Status read = KVM_IOCTL(fd_, KVM_GET_MP_STATE, &state); !read) {
    return read.error().message;
  }
  return fmt::format("RIP {:#x}, {}", regs.rip, MpStateName(state.mp_state));
}

Result<uint64_t> Vcpu::TscKhz() const {
  PLECTL_ASSIGN_OR_RETURN(const int khz, KVM_IOCTL_VALUE(fd_, KVM_GET_TSC_KHZ, 0));
  if (khz == 0) return Environment("ioctl KVM_GET_TSC_KHZ gives 0: the TSC rate is unknown");
  return static_cast<uint64_t>(khz);
}

}  // namespace plectl::guests
