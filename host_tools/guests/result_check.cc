// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/result_check.h"

#include <fmt/format.h>

namespace plectl::guests {
namespace {

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
  // A relax instruction takes at least a cycle, and a vCPU waits only while it runs.
  PLECTL_RETURN_IF_ERROR(ExpectAtMost("spins", result.spins, elapsed));
  PLECTL_RETURN_IF_ERROR(
      ExpectAtMost("wait_tsc_cycles_total", result.wait_tsc_cycles_total, elapsed));
  return ExpectAtMost("wait_tsc_cycles_max", result.wait_tsc_cycles_max,
                      result.wait_tsc_cycles_total);
}

Status CheckVcpu(const plectl_vcpu_result& result, const PayloadInfo& payload,
                 const Workload& workload) {
  PLECTL_RETURN_IF_ERROR(Expect("state", result.state, PLECTL_VCPU_DONE));
  PLECTL_RETURN_IF_ERROR(CheckTimes(result));
  if (payload.is_lock) {
    PLECTL_RETURN_IF_ERROR(Expect("acquisitions", result.acquisitions, workload.iterations));
  }
  if (payload.is_spinner) {
    PLECTL_RETURN_IF_ERROR(ExpectAtLeast("spins", result.spins, workload.iterations));
  }
  return OkStatus();
}

VcpuResult Translate(const plectl_vcpu_result& result, const PayloadInfo& payload) {
  VcpuResult translated;
  translated.acquisitions = result.acquisitions;
  translated.spins = result.spins;
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
  return Expect("protected_counter", block.protected_counter, workload.iterations * workload.vcpus);
}

}  // namespace

Result<std::vector<VcpuResult>> CheckResultBlock(const plectl_result_block& block,
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
  return vcpus;
}

}  // namespace plectl::guests
