// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <span>
#include <string>

#include "host_tools/base/fd.h"
#include "host_tools/base/mapping.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// One vCPU of a VM. One thread drives it; RequestExit() may come from any other.
class Vcpu {
 public:
  // `fd` from KVM_CREATE_VCPU; `map_size` from Kvm::VcpuMapSize().
  static Result<Vcpu> Create(Fd fd, size_t map_size);

  Status SetCpuid(std::span<const kvm_cpuid_entry2> entries);
  // Makes it start at `entry` in 32-bit protected mode. A vCPU without this waits for INIT and
  // SIPI.
  Status SetEntry(uint32_t entry);

  // Guest TSC = host TSC (scaled, where the guest's has another rate) + this. Environment error
  // before Linux 5.16.
  Status SetTscOffset(uint64_t tsc_cycles);

  enum class RunEnd { kExit, kInterrupted };
  // KVM_RUN once. kExit: run_area() says why. kInterrupted: a signal or RequestExit().
  Result<RunEnd> Run();
  // Makes the current or the next Run() return kInterrupted; the caller also sends a signal to the
  // thread, and together no request is lost (Documentation/virt/kvm/api.rst, immediate_exit).
  void RequestExit();

  // The kvm_run area as the last Run() left it.
  [[nodiscard]] Bytes run_area() const { return run_.bytes(); }
  [[nodiscard]] const Fd& fd() const { return fd_; }
  // "RIP 0x100123, runnable" or why that cannot be said. Only while Run() is not on.
  [[nodiscard]] std::string DescribePlace() const;
  [[nodiscard]] Result<uint64_t> TscKhz() const;

 private:
  Vcpu(Fd fd, Mapping run) : fd_(std::move(fd)), run_(std::move(run)) {}
  [[nodiscard]] kvm_run* run() const { return reinterpret_cast<kvm_run*>(run_.data()); }

  Fd fd_;
  Mapping run_;
};

}  // namespace plectl::guests
