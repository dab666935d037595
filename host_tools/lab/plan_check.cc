// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/plan_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <string>

#include "host_tools/base/text.h"
#include "host_tools/host/ple_params.h"
#include "host_tools/lab/self_test.h"

namespace plectl::lab {
namespace {

using experiment::Arm;
using experiment::Plan;
using guests::Workload;

constexpr int kCpusMax = 4;

std::optional<uint64_t> Value(const host::ParamValues& params, std::string_view name) {
  const auto found = params.find(std::string(name));
  return found == params.end() ? std::nullopt : ParseUint(found->second);
}

host::KvmModule ModuleOf(LabCpu cpu) {
  return cpu == LabCpu::kIntel ? host::KvmModule::kIntel : host::KvmModule::kAmd;
}

std::string GapName(LabCpu cpu) { return host::PleName(ModuleOf(cpu), host::kPleGap); }

int HighestCpu(const Plan& plan) {
  int highest = 0;
  for (const Workload& workload : plan.workloads) {
    highest = std::max(highest, *std::ranges::max_element(workload.cpus));
  }
  return highest;
}

uint64_t DefaultGap(LabCpu cpu) {
  return host::PleParams(ModuleOf(cpu))[host::kPleGap].kernel_default;
}

// A loop that waits for a lock: one relax instruction, compare, branch; in a row, or where an
// atomic does the comparing, two more (docs/guest.md).
uint64_t WaitLoop(const LabOptions& options, const Workload& workload) {
  const uint64_t relax = options.profile ? options.profile->pause_tsc_cycles : 1;
  return relax + (workload.relax_repeat > 1 || workload.payload == "tas" ? 4 : 2);
}

bool SpinsWithInterruptsOff(const Workload& workload) {
  return workload.interrupts_off == guests::InterruptsOff::kLocking;
}

// Of those that spin with interrupts off.
uint64_t LongestLoop(const LabOptions& options, const Plan& plan) {
  uint64_t longest = 0;
  for (const Workload& workload : plan.workloads) {
    if (!SpinsWithInterruptsOff(workload)) continue;
    longest = std::max(longest, WaitLoop(options, workload));
  }
  return longest;
}

// Why a spin with interrupts off would never end at this setting; empty when PAUSE exits end it.
std::string WhyEndless(Arm arm, const host::ParamValues& params, uint64_t loop,
                       const LabOptions& options, const EngineFacts& facts) {
  if (arm != Arm::kPause) return fmt::format("in the {} arm", experiment::ArmName(arm));
  if (!facts.ple_off_because.empty()) return "since " + facts.ple_off_because;
  if (options.cpu == LabCpu::kAmd && Value(params, "pause_filter_count") == 0) {
    return "with pause_filter_count=0";
  }
  const std::string gap_name = GapName(options.cpu);
  const uint64_t gap = Value(params, gap_name).value_or(DefaultGap(options.cpu));
  if (gap >= loop) return {};
  return fmt::format("with {}={} and a loop of at least {} TSC cycles", gap_name, gap, loop);
}

Status CheckInterruptsOff(const Plan& plan, const LabOptions& options, const EngineFacts& facts) {
  if (facts.interrupts_when_off || std::ranges::none_of(plan.workloads, SpinsWithInterruptsOff)) {
    return OkStatus();
  }
  const uint64_t loop = LongestLoop(options, plan);
  for (const Arm arm : plan.arms) {
    for (const host::ParamValues& params : plan.param_sets) {
      const std::string why = WhyEndless(arm, params, loop, options, facts);
      if (why.empty()) continue;
      return Environment(
          fmt::format("this emulator delivers no interrupt to a guest that spins with interrupts "
                      "off: {} nothing would end the spin (interrupts_off: locking), and the whole "
                      "lab would freeze",
                      why),
          "use arms: [pause] with PLE on; as a stand-in for PLE off set ple_window and "
          "ple_window_max to 4000000 and ple_window_grow to 1; or take an emulator without the "
          "fault (--lab-engine, `plectl lab check`)");
    }
  }
  return OkStatus();
}

Status CheckGranularity(const Plan& plan, const LabOptions& options, const EngineFacts& facts) {
  if (CpusOf(options) == 1 || !facts.ple_off_because.empty()) return OkStatus();
  const std::string gap_name = GapName(options.cpu);
  for (const host::ParamValues& params : plan.param_sets) {
    const std::optional<uint64_t> gap = Value(params, gap_name);
    if (!gap || *gap == 0 || *gap >= facts.first_gap_tsc_cycles) continue;
    return Environment(
        fmt::format("{}={} cannot be measured with {} emulated CPUs: their time moves in steps of "
                    "{} TSC cycles",
                    gap_name, *gap, CpusOf(options), facts.first_gap_tsc_cycles),
        fmt::format("use gaps of 0 or at least {}, or one CPU (--lab-cpus 1)",
                    facts.first_gap_tsc_cycles));
  }
  return OkStatus();
}

// What KVM would silently turn into 0.
Status CheckThreshold(const Plan& plan, const LabOptions& options, const EngineFacts& facts) {
  if (options.cpu != LabCpu::kAmd || facts.ple_off_because.empty()) return OkStatus();
  for (const host::ParamValues& params : plan.param_sets) {
    if (Value(params, "pause_filter_thresh").value_or(0) == 0) continue;
    return Environment(
        fmt::format("the plan sets pause_filter_thresh, but {}", facts.ple_off_because),
        "leave it out (0 PAUSE exits is then the right answer), or take an emulator with the "
        "threshold (plectl docs lab says how to get one), and name it with --lab-engine");
  }
  return OkStatus();
}

}  // namespace

Result<uint32_t> CpusFor(const Plan& plan) {
  const int highest = HighestCpu(plan);
  if (highest < kCpusMax) return std::bit_ceil(static_cast<uint32_t>(highest) + 1);
  return BadInput(
      fmt::format("the plan uses CPU {}, but a lab has at most {} CPUs", highest, kCpusMax),
      "use CPUs 0 to 3");
}

Status CheckLabCpus(const Plan& plan, const LabOptions& options) {
  const int highest = HighestCpu(plan);
  if (static_cast<uint32_t>(highest) < CpusOf(options)) return OkStatus();
  return BadInput(fmt::format("the plan uses CPU {}, but the lab's last is CPU {}", highest,
                              CpusOf(options) - 1),
                  "leave --lab-cpus out: the plan decides");
}

Status CheckPlanForLab(const Plan& plan, const LabOptions& options, const EngineFacts& facts) {
  PLECTL_RETURN_IF_ERROR(CheckLabCpus(plan, options));
  if (const std::string why = WhyUnusable(LaneOf(options), facts); !why.empty()) {
    return Environment(
        fmt::format("this emulator failed its self-test as {}: {}", LaneOf(options).name(), why),
        "use the packaged one: leave out --lab-engine; `plectl lab check` shows the details");
  }
  PLECTL_RETURN_IF_ERROR(CheckThreshold(plan, options, facts));
  PLECTL_RETURN_IF_ERROR(CheckGranularity(plan, options, facts));
  return CheckInterruptsOff(plan, options, facts);
}

}  // namespace plectl::lab
