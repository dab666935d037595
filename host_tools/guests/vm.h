// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/guest_memory.h"
#include "host_tools/guests/kvm.h"
#include "host_tools/guests/vcpu.h"

namespace plectl::guests {

// A VM with its memory, the in-kernel interrupt controllers and all its vCPUs; the first starts at
// `entry`, the others wait for the start-up IPI.
class Vm {
 public:
  struct Options {
    uint32_t first_vcpu = 0;  // number and APIC ID of its first vCPU
    uint32_t vcpus = 1;
    uint32_t entry = 0;
    size_t memory_size = 0;
    bool pause_exits_disabled = false;
    bool has_host_tsc = false;  // guest TSC = host TSC, so that VMs can be compared
  };
  static Result<Vm> Create(const Kvm& kvm, const Options& options);

  [[nodiscard]] GuestMemory& memory() { return memory_; }
  [[nodiscard]] std::vector<Vcpu>& vcpus() { return vcpus_; }
  [[nodiscard]] const Fd& fd() const { return fd_; }

 private:
  Vm(Fd fd, GuestMemory memory) : memory_(std::move(memory)), fd_(std::move(fd)) {}
  Status SetUpPlatform(const Options& options);
  Status DisablePauseExits();
  Status AddVcpus(const Kvm& kvm, const Options& options);

  // Destroyed in reverse order: vCPUs, VM, and the memory that both use last.
  GuestMemory memory_;
  Fd fd_;
  std::vector<Vcpu> vcpus_;
};

}  // namespace plectl::guests
