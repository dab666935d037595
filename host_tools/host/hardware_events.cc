// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/hardware_events.h"

#include <linux/perf_event.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

// An event of Intel's core PMU in the layout of IA32_PERFEVTSELx (SDM vol. 3, 20.2.1).
constexpr uint64_t Encode(uint64_t event, uint64_t umask, bool edge = false, uint64_t cmask = 0) {
  return event | umask << 8 | (edge ? uint64_t{1} << 18 : 0) | cmask << 24;
}

// ROB_MISC_EVENTS.PAUSE_INST of Skylake servers, MISC_RETIRED.PAUSE_INST of Ice Lake and its kin.
// Retired PAUSEs that did not end in a VM exit.
constexpr uint64_t kPauseInstRetired = Encode(0xcc, 0x40);
// CPU_CLK_UNHALTED.PAUSE_INST, Golden Cove and later.
constexpr uint64_t kPauseInstEdges = Encode(0xec, 0x40, true, 1);
// MACHINE_CLEARS.MEMORY_ORDERING, the same on all of them.
constexpr uint64_t kMemoryOrderingClears = Encode(0xc3, 0x02);

// Family 6. Event lists: the kernel's tools/perf/pmu-events/arch/x86 (mapfile.csv names the
// models). Skylake and Kaby Lake clients are left out: their first steppings do not have the event.
struct PauseEvent {
  uint64_t model;
  uint64_t config;
};
constexpr PauseEvent kPauseEvents[] = {
    {0x55, kPauseInstRetired},  // skylakex, cascadelakex
    {0x6a, kPauseInstRetired},  // icelakex
    {0x6c, kPauseInstRetired},  // icelakex
    {0x7d, kPauseInstRetired},  // icelake
    {0x7e, kPauseInstRetired},  // icelake
    {0x8c, kPauseInstRetired},  // tigerlake
    {0x8d, kPauseInstRetired},  // tigerlake
    {0xa7, kPauseInstRetired},  // rocketlake
    {0x8f, kPauseInstEdges},    // sapphirerapids
    {0xcf, kPauseInstEdges},    // emeraldrapids
    {0xad, kPauseInstEdges},    // graniterapids
    {0xae, kPauseInstEdges},    // graniterapids
};

struct CpuModel {
  bool is_intel = false;
  bool has_counters = false;
  uint64_t family = 0;
  uint64_t model = 0;
};

uint64_t NumberOf(const CpuInfo& cpu, std::string_view field) {
  return ParseUint(cpu.Field(field).value_or("")).value_or(0);
}

CpuModel ModelOf(const CpuInfo& cpu) {
  return {.is_intel = cpu.Field("vendor_id") == "GenuineIntel",
          .has_counters = cpu.HasFlag("flags", "arch_perfmon").value_or(false) ||
                          cpu.HasFlag("flags", "perfctr_core").value_or(false),
          .family = NumberOf(cpu, "cpu family"),
          .model = NumberOf(cpu, "model")};
}

// Without the flag there is no core PMU that Linux drives, as in the lab.
constexpr std::string_view kNoCounters = "this CPU has no performance counters";
constexpr std::string_view kNoPauseEvent =
    "no event of this CPU model is known that counts retired PAUSEs";
constexpr std::string_view kNoClearsEvent =
    "no event of this CPU model is known that counts machine clears for memory order";

HardwareQuantity PauseQuantity(const CpuModel& cpu) {
  HardwareQuantity quantity{.event = {"pauses_retired_guest", PERF_TYPE_RAW, 0, ExecutedIn::kGuest},
                            .missing_because = kNoPauseEvent};
  const auto* const found = std::ranges::find(kPauseEvents, cpu.model, &PauseEvent::model);
  if (cpu.is_intel && cpu.family == 6 && found != std::end(kPauseEvents)) {
    quantity.event.config = found->config;
    quantity.missing_because = {};
  }
  return quantity;
}

HardwareQuantity ClearsQuantity(const CpuModel& cpu) {
  return {.event = {"memory_ordering_clears_guest", PERF_TYPE_RAW, kMemoryOrderingClears,
                    ExecutedIn::kGuest},
          .missing_because = cpu.is_intel && cpu.family == 6 ? std::string_view() : kNoClearsEvent};
}

HardwareQuantity GenericQuantity(std::string_view name, uint64_t config, ExecutedIn mode) {
  return {.event = {name, PERF_TYPE_HARDWARE, config, mode}, .missing_because = {}};
}

}  // namespace

std::vector<HardwareQuantity> HardwareQuantities(const CpuInfo& info) {
  const CpuModel cpu = ModelOf(info);
  std::vector<HardwareQuantity> quantities = {
      GenericQuantity("cycles_guest", PERF_COUNT_HW_CPU_CYCLES, ExecutedIn::kGuest),
      GenericQuantity("cycles_host", PERF_COUNT_HW_CPU_CYCLES, ExecutedIn::kHost),
      GenericQuantity("instructions_guest", PERF_COUNT_HW_INSTRUCTIONS, ExecutedIn::kGuest),
      GenericQuantity("instructions_host", PERF_COUNT_HW_INSTRUCTIONS, ExecutedIn::kHost),
      PauseQuantity(cpu),
      ClearsQuantity(cpu)};
  if (cpu.has_counters) return quantities;
  for (HardwareQuantity& quantity : quantities) quantity.missing_because = kNoCounters;
  return quantities;
}

}  // namespace plectl::host
