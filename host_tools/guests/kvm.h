// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::guests {

// The host's KVM: /dev/kvm with the right API version and every capability that the VMM needs.
class Kvm {
 public:
  // Environment error with the next step when KVM is not there, not permitted or too old.
  static Result<Kvm> Open();

  // A new VM's descriptor.
  [[nodiscard]] Result<Fd> CreateVm() const;
  // The size of one vCPU's shared kvm_run area.
  [[nodiscard]] Result<size_t> VcpuMapSize() const;
  // What the host can give its guests.
  [[nodiscard]] Result<std::vector<kvm_cpuid_entry2>> SupportedCpuid() const;

 private:
  explicit Kvm(Fd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] Status CheckApiVersion() const;
  [[nodiscard]] Status CheckCapabilities() const;

  Fd fd_;
};

}  // namespace plectl::guests
