// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/result_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace plectl::guests {
namespace {

// Of one vCPU, when a time ends its work: the sum over all is far from overflow.
constexpr uint64_t kAcquisitionsMax = 1'000'000'000'000'000;

// The most relax instructions that a core can execute in a time that its TSC shows. A relax
// instruction of the nop arm is no more than two NOPs, of which a core retires up to its width in a
// cycle (8 in 2026), and the core's clock may be faster than the TSC (turbo: 4 times on notebooks).
// So both are far below these. The two time stamps may be taken while the last instructions before
// them are still on their way, and some TSCs count in steps: that is the slack.
constexpr uint64_t kInstructionsPerCoreCycle = 16;
constexpr uint64_t kCoreCyclesPerTscCycle = 8;
constexpr uint64_t kStampSlackTscCycles = 1000;

uint64_t SpinsMax(uint64_t elapsed_tsc_cycles) {
  constexpr uint64_t kPerTscCycle = kInstructionsPerCoreCycle * kCoreCyclesPerTscCycle;
  constexpr uint64_t kElapsedMax = UINT64_MAX / kPerTscCycle - kStampSlackTscCycles;
  return (std::min(elapsed_tsc_cycles, kElapsedMax) + kStampSlackTscCycles) * kPerTscCycle;
}

Failure Nonsense(std::string_view field, uint64_t value, std::string_view expected) {
  return Inconclusive(fmt::format("the guest's result block makes no sense: {} is {}, expected {}",
                                  field, value, expected),
                      "the payload is broken, or something wrote over its memory");
}

Status Expect(std::string_view field, uint64_t value, uint64_t expected) {
  if (value == expected) return OkStatus();
  return Nonsense(field, value, fmt::format("{}", expected));
}

Status ExpectAtMost(std::string_view field, uint64_t value, uint64_t limit) {
  if (value <= limit) return OkStatus();
  return Nonsense(field, value, fmt::format("at most {}", limit));
}

Status ExpectAtLeast(std::string_view field, uint64_t value, uint64_t limit) {
  if (value >= limit) return OkStatus();
  return Nonsense(field, value, fmt::format("at least {}", limit));
}

Status CheckHeader(const plectl_result_block& block) {
  PLECTL_RETURN_IF_ERROR(Expect("magic", block.magic, PLECTL_RESULT_MAGIC));
  PLECTL_RETURN_IF_ERROR(Expect("version", block.version, PLECTL_ABI_VERSION));
  return Expect("size", block.size, sizeof(plectl_result_block));
}

Status CheckTimes(const plectl_vcpu_result& result) {
  PLECTL_RETURN_IF_ERROR(ExpectAtMost("tsc_start", result.tsc_start, result.tsc_end));
  const uint64_t elapsed = result.tsc_end - result.tsc_start;
  PLECTL_RETURN_IF_ERROR(ExpectAtMost("spins", result.spins, SpinsMax(elapsed)));
  // Its waits do not overlap, and lie between its start and its end; the TSC of a CPU never goes
  // back (SDM volume 3B, 18.17).
  PLECTL_RETURN_IF_ERROR(
      ExpectAtMost("wait_tsc_cycles_total", result.wait_tsc_cycles_total, elapsed));
  return ExpectAtMost("wait_tsc_cycles_max", result.wait_tsc_cycles_max,
                      result.wait_tsc_cycles_total);
}

Status CheckWork(const plectl_vcpu_result& result, const PayloadInfo& payload,
                 const Workload& workload) {
  if (payload.is_spinner) {
    PLECTL_RETURN_IF_ERROR(ExpectAtLeast("spins", result.spins, workload.iterations));
  }
  if (!payload.has_rounds) return OkStatus();
  if (workload.iterations != 0) {
    PLECTL_RETURN_IF_ERROR(Expect("acquisitions", result.acquisitions, workload.iterations));
  } else {
    PLECTL_RETURN_IF_ERROR(ExpectAtLeast("acquisitions", result.acquisitions, 1));
    PLECTL_RETURN_IF_ERROR(ExpectAtMost("acquisitions", result.acquisitions, kAcquisitionsMax));
  }
  return ExpectAtMost("contended", result.contended, result.acquisitions);
}

Status CheckVcpu(const plectl_vcpu_result& result, const PayloadInfo& payload,
                 const Workload& workload) {
  PLECTL_RETURN_IF_ERROR(Expect("state", result.state, PLECTL_VCPU_DONE));
  PLECTL_RETURN_IF_ERROR(CheckTimes(result));
  return CheckWork(result, payload, workload);
}

VcpuResult Translate(const plectl_vcpu_result& result, const PayloadInfo& payload) {
  VcpuResult translated;
  translated.acquisitions = result.acquisitions;
  translated.spins = result.spins;
  translated.contended = result.contended;
  translated.tsc_start = result.tsc_start;
  translated.tsc_end = result.tsc_end;
  translated.wait_tsc_cycles_total = result.wait_tsc_cycles_total;
  translated.wait_tsc_cycles_max = result.wait_tsc_cycles_max;
  for (size_t i = 0; i < payload.extra_names.size(); ++i) {
    translated.extra[payload.extra_names[i]] = result.extra[i];
  }
  return translated;
}

// Lost counts mean that two vCPUs were in the critical section at once.
Status CheckMutualExclusion(const plectl_result_block& block, const PayloadInfo& payload,
                            const Workload& workload) {
  if (!payload.is_lock) return OkStatus();
  uint64_t acquisitions = 0;
  for (uint32_t id = 0; id < workload.vcpus; ++id) acquisitions += block.vcpus[id].acquisitions;
  PLECTL_RETURN_IF_ERROR(Expect("protected_counter", block.protected_counter, acquisitions));
  return Expect("owner", block.owner, 0);
}

// What the histogram says of the count and the sum of the waits. Sums stop at their largest value.
struct HistogramSums {
  uint64_t waits = 0;
  uint64_t cycles_least = 0;
  uint64_t cycles_most = 0;
};

void AddSaturating(uint64_t count, uint64_t cycles, uint64_t& sum) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(count, cycles, &product) ||
      __builtin_add_overflow(sum, product, &sum)) {
    sum = UINT64_MAX;
  }
}

HistogramSums SumsOf(const WaitHistogram& histogram) {
  HistogramSums sums;
  for (const WaitCount& item : histogram) {
    AddSaturating(item.count, 1, sums.waits);
    AddSaturating(item.count, item.lower_bound, sums.cycles_least);
    AddSaturating(item.count, WaitBucketLast(WaitBucketOf(item.lower_bound)), sums.cycles_most);
  }
  return sums;
}

Status CheckHistogram(const VcpuResult& vcpu) {
  const HistogramSums sums = SumsOf(vcpu.wait_histogram);
  PLECTL_RETURN_IF_ERROR(Expect("the sum of wait_histogram", sums.waits, vcpu.acquisitions));
  PLECTL_RETURN_IF_ERROR(ExpectAtLeast("wait_tsc_cycles_total of these waits",
                                       vcpu.wait_tsc_cycles_total, sums.cycles_least));
  PLECTL_RETURN_IF_ERROR(ExpectAtMost("wait_tsc_cycles_total of these waits",
                                      vcpu.wait_tsc_cycles_total, sums.cycles_most));
  // As a bucket, since that is what the histogram knows of it.
  return Expect("the last bucket of wait_histogram", vcpu.wait_histogram.back().lower_bound,
                WaitBucketFirst(WaitBucketOf(vcpu.wait_tsc_cycles_max)));
}

WaitHistogram Sparse(const plectl_wait_histogram& histogram) {
  WaitHistogram sparse;
  for (size_t bucket = 0; bucket < PLECTL_WAIT_BUCKETS; ++bucket) {
    const uint64_t count = histogram.counts[bucket];
    if (count != 0) sparse.push_back({WaitBucketFirst(bucket), count});
  }
  return sparse;
}

// What a payload that waits for nothing left in its histogram is of no interest.
Status AddHistograms(std::span<const plectl_wait_histogram> histograms, const PayloadInfo& payload,
                     std::vector<VcpuResult>& vcpus) {
  if (!payload.has_rounds) return OkStatus();
  for (size_t id = 0; id < vcpus.size(); ++id) {
    vcpus[id].wait_histogram = Sparse(histograms[id]);
    if (const Status checked = CheckHistogram(vcpus[id]); !checked) {
      return Fail(WithContext(fmt::format("vCPU {}", id), checked.error()));
    }
  }
  return OkStatus();
}

}  // namespace

Result<std::vector<VcpuResult>> CheckResultBlock(const plectl_result_block& block,
                                                 std::span<const plectl_wait_histogram> histograms,
                                                 const PayloadInfo& payload,
                                                 const Workload& workload) {
  PLECTL_RETURN_IF_ERROR(CheckHeader(block));
  std::vector<VcpuResult> vcpus;
  for (uint32_t id = 0; id < workload.vcpus; ++id) {
    const plectl_vcpu_result& result = block.vcpus[id];
    if (const Status checked = CheckVcpu(result, payload, workload); !checked) {
      return Fail(WithContext(fmt::format("vCPU {}", id), checked.error()));
    }
    vcpus.push_back(Translate(result, payload));
  }
  PLECTL_RETURN_IF_ERROR(CheckMutualExclusion(block, payload, workload));
  PLECTL_RETURN_IF_ERROR(AddHistograms(histograms, payload, vcpus));
  return vcpus;
}

}  // namespace plectl::guests
