// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/bytes.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::guests {

struct StatisticPlace {
  std::string name;
  uint64_t offset = 0;  // in the file, of its 64-bit value
};

// The statistics of a KVM statistics file that only ever grow and are one number: no histograms,
// peaks or states. Reads the layout of Documentation/virt/kvm/api.rst, 4.133 (header, descriptors).
// A pure function; an error when the layout makes no sense.
Result<std::vector<StatisticPlace>> FindCumulativeStatistics(Bytes file);

// KVM's own statistics of a VM or of a vCPU between two moments at which no vCPU runs.
class KvmStatistics {
 public:
  // Of a VM's or vCPU's file descriptor. Where the kernel has no statistics file (before Linux
  // 5.14) all readings are missing and say why.
  explicit KvmStatistics(const Fd& vm_or_vcpu);
  void Begin() { begin_ = Read(); }
  [[nodiscard]] StatisticGrowths SinceBegin() const;

 private:
  Status Open(const Fd& vm_or_vcpu);
  // One value for each of places_.
  [[nodiscard]] Result<std::vector<uint64_t>> Read() const;

  Fd file_;
  std::vector<StatisticPlace> places_;
  uint64_t begin_offset_ = 0;  // of the part of the file that holds all of places_
  uint64_t end_offset_ = 0;
  Status opened_;
  Result<std::vector<uint64_t>> begin_ = Internal("KVM's statistics were not read at the start");
};

// How much `name` grew; missing when nothing was read, or when this kernel does not have it.
Count GrowthOf(const StatisticGrowths& growths, const std::string& name);

}  // namespace plectl::guests
