// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vm_summary.h"

#include <algorithm>
#include <vector>

namespace plectl::guests {
namespace {

// Where the TSC stands still between start and end, no time passed that could be compared.
double RateOf(const VcpuResult& vcpu) {
  const uint64_t elapsed = std::max<uint64_t>(vcpu.tsc_end - vcpu.tsc_start, 1);
  return static_cast<double>(vcpu.acquisitions) / static_cast<double>(elapsed);
}

// What gets done: acquisitions, or relax instructions where that is all that is done.
uint64_t WorkDone(std::span<const VcpuResult> vcpus, bool counts_rounds) {
  uint64_t work = 0;
  for (const VcpuResult& vcpu : vcpus) work += counts_rounds ? vcpu.acquisitions : vcpu.spins;
  return work;
}

}  // namespace

VmResult SummarizeVm(std::span<const VcpuResult> vcpus, bool counts_rounds, uint64_t tsc_khz) {
  VmResult result;
  const auto start = std::ranges::min(vcpus, {}, &VcpuResult::tsc_start).tsc_start;
  const auto end = std::ranges::max(vcpus, {}, &VcpuResult::tsc_end).tsc_end;
  result.elapsed_tsc_cycles = end - start;
  if (result.elapsed_tsc_cycles != 0) {
    const double seconds =
        static_cast<double>(result.elapsed_tsc_cycles) / (static_cast<double>(tsc_khz) * 1e3);
    result.throughput_per_s = static_cast<double>(WorkDone(vcpus, counts_rounds)) / seconds;
  }
  result.fairness_jain = FairnessJain(vcpus);
  result.waits = SummarizeWaits(vcpus);
  return result;
}

std::optional<double> FairnessJain(std::span<const VcpuResult> vcpus) {
  double sum = 0;
  double sum_of_squares = 0;
  for (const VcpuResult& vcpu : vcpus) {
    const double rate = RateOf(vcpu);
    sum += rate;
    sum_of_squares += rate * rate;
  }
  if (sum_of_squares <= 0) return std::nullopt;
  // Rounding may carry equal rates beyond 1.
  return std::min(1.0, sum * sum / (static_cast<double>(vcpus.size()) * sum_of_squares));
}

std::optional<WaitSummary> SummarizeWaits(std::span<const VcpuResult> vcpus) {
  std::vector<WaitHistogram> histograms;
  uint64_t max = 0;
  for (const VcpuResult& vcpu : vcpus) {
    histograms.push_back(vcpu.wait_histogram);
    max = std::max(max, vcpu.wait_tsc_cycles_max);
  }
  const WaitHistogram all = Merge(histograms);
  if (all.empty()) return std::nullopt;
  // No wait was longer than the longest, though its bucket goes on.
  const auto quantile = [&](double share) { return std::min(*WaitQuantile(all, share), max); };
  return WaitSummary{quantile(0.5), quantile(0.99), quantile(0.999), max};
}

}  // namespace plectl::guests
