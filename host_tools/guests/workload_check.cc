// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/workload_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>

#include "host_tools/base/text.h"

namespace plectl::guests {
namespace {

Result<uint32_t> FindPayload(const PayloadImage& image, std::string_view name) {
  const auto& payloads = image.payloads();
  const auto found = std::ranges::find(payloads, name, &PayloadInfo::name);
  if (found != payloads.end()) return static_cast<uint32_t>(found - payloads.begin());
  const std::vector<std::string_view> names = PayloadNames(image);
  return BadInput(fmt::format("unknown payload \"{}\"{}", name, SuggestionText(name, names)),
                  fmt::format("use one of: {}", fmt::join(names, ", ")));
}

Status CheckVcpus(const PayloadInfo& payload, uint32_t vcpus) {
  if (vcpus >= payload.min_vcpus && vcpus <= PLECTL_MAX_VCPUS) return OkStatus();
  return BadInput(fmt::format("vcpus is {}: payload {} runs on {} to {} vCPUs{}", vcpus,
                              payload.name, payload.min_vcpus, PLECTL_MAX_VCPUS,
                              payload.min_vcpus > 1 ? ", since it needs contention" : ""));
}

// All VMs' vCPUs have numbers of their own, which the guests know as APIC IDs.
Status CheckVms(const Workload& workload) {
  if (workload.vms >= 1 && workload.vms <= PLECTL_MAX_VCPUS / workload.vcpus) return OkStatus();
  return BadInput(fmt::format(
      "vms is {}: with {} vCPUs each, 1 to {} VMs can run at once ({} "
      "vCPUs in all)",
      workload.vms, workload.vcpus, PLECTL_MAX_VCPUS / workload.vcpus, PLECTL_MAX_VCPUS));
}

Status CheckCpus(const std::vector<int>& cpus) {
  if (cpus.empty()) return BadInput("cpus is empty", "list the host CPUs for the vCPUs: cpus: [0]");
  for (const int cpu : cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) {
      return BadInput(fmt::format("cpus holds {}: allowed are 0 to {}", cpu, CPU_SETSIZE - 1));
    }
  }
  return OkStatus();
}

// SCHED_FIFO has no time slices and yield_to() skips it: a spinner would never let the others run.
Status CheckScheduling(const PayloadInfo& payload, const Workload& workload) {
  const uint32_t vcpus = VcpusOfAllVms(workload);
  const bool shares_cpus = vcpus > workload.cpus.size();
  if (workload.scheduling != VcpuScheduling::kFifo || !shares_cpus || payload.min_vcpus < 2) {
    return OkStatus();
  }
  return BadInput(fmt::format("payload {} with {} vCPUs on {} CPUs cannot run under SCHED_FIFO: a "
                              "spinning vCPU would never let the others run",
                              payload.name, vcpus, workload.cpus.size()),
                  "use as many CPUs as vCPUs, or the default scheduling");
}

std::string_view WordOf(InterruptsOff interrupts_off) {
  return interrupts_off == InterruptsOff::kHolding ? "holding" : "locking";
}

Status CheckInterruptsOff(const PayloadInfo& payload, InterruptsOff interrupts_off) {
  if (interrupts_off == InterruptsOff::kNever) return OkStatus();
  if (!payload.can_turn_interrupts_off) {
    return BadInput(fmt::format("interrupts_off is {}: payload {} always runs with interrupts on",
                                WordOf(interrupts_off), payload.name),
                    "use never, or another payload");
  }
  if (interrupts_off == InterruptsOff::kLocking || payload.is_lock) return OkStatus();
  return BadInput(fmt::format("interrupts_off is holding: payload {} holds no lock", payload.name),
                  "use locking, under which it spins with interrupts off, or never");
}

Failure NotHonoured(std::string_view key, uint64_t value, const PayloadInfo& payload,
                    std::string_view why) {
  return BadInput(fmt::format("{} is {}: payload {} {}", key, value, payload.name, why),
                  "leave it out, or use another payload");
}

Status CheckLength(const PayloadInfo& payload, const Workload& workload) {
  if (workload.duration_tsc_cycles == 0) {
    if (workload.iterations != 0) return OkStatus();
    return BadInput("iterations is 0: at least 1 is needed");
  }
  if (workload.iterations != 0) {
    return BadInput(fmt::format("duration_tsc_cycles is {}, iterations is {}: one must be 0",
                                workload.duration_tsc_cycles, workload.iterations));
  }
  if (payload.takes_duration) return OkStatus();
  return NotHonoured("duration_tsc_cycles", workload.duration_tsc_cycles, payload,
                     "runs for its iterations only");
}

Status CheckTime(const PayloadInfo& payload, bool honoured, std::string_view name, uint64_t cycles,
                 Distribution distribution) {
  if (cycles != 0 && !honoured) {
    return NotHonoured(fmt::format("{}_tsc_cycles", name), cycles, payload,
                       fmt::format("does not {}", name));
  }
  if (distribution == Distribution::kFixed) return OkStatus();
  if (!honoured) {
    return BadInput(fmt::format("{}_distribution is exponential: payload {} does not {}", name,
                                payload.name, name),
                    "leave it out, or use another payload");
  }
  if (cycles != 0) return OkStatus();
  return BadInput(
      fmt::format("{0}_distribution is exponential, but its mean {0}_tsc_cycles is 0", name),
      "give a mean, or leave the distribution out");
}

bool IsRandom(const PayloadInfo& payload, const Workload& workload) {
  return payload.is_random || workload.hold_distribution != Distribution::kFixed ||
         workload.think_distribution != Distribution::kFixed;
}

Status CheckTimes(const PayloadInfo& payload, const Workload& workload) {
  PLECTL_RETURN_IF_ERROR(CheckTime(payload, payload.holds, "hold", workload.hold_tsc_cycles,
                                   workload.hold_distribution));
  PLECTL_RETURN_IF_ERROR(CheckTime(payload, payload.thinks, "think", workload.think_tsc_cycles,
                                   workload.think_distribution));
  if (payload.is_random && workload.hold_distribution != Distribution::kFixed) {
    return BadInput(
        fmt::format("hold_distribution is exponential: payload {} picks its holds itself",
                    payload.name),
        "leave it out, or use another payload");
  }
  if (workload.random_seed == Workload{}.random_seed || IsRandom(payload, workload)) {
    return OkStatus();
  }
  return BadInput(fmt::format("random_seed is {}: nothing is random in this workload of payload {}",
                              workload.random_seed, payload.name),
                  "leave it out, or use an exponential distribution");
}

Status CheckWaitLoop(const PayloadInfo& payload, const Workload& workload) {
  if (workload.body_loops != 0 && !payload.takes_body_loops) {
    return NotHonoured("body_loops", workload.body_loops, payload, "has no loop that relaxes");
  }
  if (workload.relax_repeat == 1) return OkStatus();
  if (workload.relax_repeat == 0 || workload.relax_repeat > PLECTL_RELAX_REPEAT_MAX) {
    return BadInput(fmt::format("relax_repeat is {}: allowed are 1 to {}", workload.relax_repeat,
                                PLECTL_RELAX_REPEAT_MAX));
  }
  if (!payload.takes_relax_repeat) {
    return NotHonoured("relax_repeat", workload.relax_repeat, payload, "has no wait loop");
  }
  if (workload.body_loops == 0) return OkStatus();
  return BadInput(fmt::format("relax_repeat is {}, body_loops is {}: nothing may stand between "
                              "relax instructions in a row",
                              workload.relax_repeat, workload.body_loops),
                  "use one of the two");
}

}  // namespace

std::vector<std::string_view> PayloadNames(const PayloadImage& image) {
  std::vector<std::string_view> names;
  for (const PayloadInfo& payload : image.payloads()) names.emplace_back(payload.name);
  return names;
}

Result<uint32_t> CheckWorkload(const PayloadImage& image, const Workload& workload) {
  PLECTL_ASSIGN_OR_RETURN(const uint32_t index, FindPayload(image, workload.payload));
  const PayloadInfo& payload = image.payloads()[index];
  PLECTL_RETURN_IF_ERROR(CheckVcpus(payload, workload.vcpus));
  PLECTL_RETURN_IF_ERROR(CheckVms(workload));
  PLECTL_RETURN_IF_ERROR(CheckCpus(workload.cpus));
  PLECTL_RETURN_IF_ERROR(CheckLength(payload, workload));
  PLECTL_RETURN_IF_ERROR(CheckTimes(payload, workload));
  PLECTL_RETURN_IF_ERROR(CheckWaitLoop(payload, workload));
  PLECTL_RETURN_IF_ERROR(CheckScheduling(payload, workload));
  PLECTL_RETURN_IF_ERROR(CheckInterruptsOff(payload, workload.interrupts_off));
  return index;
}

Status CheckRelaxTscCycles(uint64_t cycles) {
  if (cycles == 0) return OkStatus();
  if (cycles >= PLECTL_RELAX_TSC_CYCLES_MIN && cycles <= PLECTL_RELAX_TSC_CYCLES_MAX) {
    return OkStatus();
  }
  return BadInput(fmt::format("relax_tsc_cycles is {}: allowed are 0 and {} to {}", cycles,
                              PLECTL_RELAX_TSC_CYCLES_MIN, PLECTL_RELAX_TSC_CYCLES_MAX));
}

}  // namespace plectl::guests
