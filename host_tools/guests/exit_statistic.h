// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "host_tools/base/count.h"
#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// Where in a KVM statistics file the 64-bit value of `name` lies. Reads the layout of
// Documentation/virt/kvm/api.rst, 4.133 (header, descriptors). A pure function; an error when the
// layout makes no sense or has no such statistic.
Result<uint64_t> FindStatistic(Bytes file, std::string_view name);

// One vCPU's "exits" as KVM counts them: all exits since the vCPU was created.
class ExitStatistic {
 public:
  explicit ExitStatistic(const Fd& vcpu);
  // Missing, with the reason, where the kernel has no statistics file (before Linux 5.14).
  [[nodiscard]] Count Read() const;

 private:
  Status Open(const Fd& vcpu);

  Fd file_;
  uint64_t offset_ = 0;
  std::string missing_because_;
};

}  // namespace plectl::guests
