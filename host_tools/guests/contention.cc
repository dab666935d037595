// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/contention.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace plectl::guests {
namespace {

// Time with two or more vCPUs between start and end, over the time with one or more or none.
double OverlapOf(std::span<const VcpuResult> vcpus) {
  // A vCPU that ends when another starts is not beside it: ends come first.
  std::vector<std::pair<uint64_t, int>> changes;
  for (const VcpuResult& vcpu : vcpus) {
    changes.emplace_back(vcpu.tsc_start, 1);
    changes.emplace_back(vcpu.tsc_end, -1);
  }
  std::ranges::sort(changes);
  uint64_t shared = 0;
  int inside = 0;
  for (size_t i = 0; i + 1 < changes.size(); ++i) {
    inside += changes[i].second;
    if (inside >= 2) shared += changes[i + 1].first - changes[i].first;
  }
  const uint64_t elapsed = changes.back().first - changes.front().first;
  return elapsed == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(elapsed);
}

}  // namespace

Contention ContentionOf(std::span<const VcpuResult> vcpus) {
  Contention contention;
  contention.overlap = OverlapOf(vcpus);
  for (const VcpuResult& vcpu : vcpus) {
    contention.contended += vcpu.contended;
    contention.acquisitions += vcpu.acquisitions;
  }
  return contention;
}

Contention ContentionOfAll(std::span<const Contention> vms) {
  Contention all{.overlap = 1};
  for (const Contention& vm : vms) {
    all.overlap = std::min(all.overlap, vm.overlap);
    all.contended += vm.contended;
    all.acquisitions += vm.acquisitions;
  }
  return all;
}

std::string WhyNotContended(const Contention& contention, uint32_t vcpus) {
  const bool overlapped = contention.overlap >= kOverlapMin;
  if (overlapped && contention.contended >= kContendedPerVcpuMin * vcpus) return {};
  return fmt::format(
      "{} of {} acquisitions had to wait, and two or more vCPUs were at work in {:.1f} % of the "
      "time: each was done before it met the others; let it go on for several time slices "
      "(duration_tsc_cycles, more iterations)",
      contention.contended, contention.acquisitions, 100 * contention.overlap);
}

}  // namespace plectl::guests
