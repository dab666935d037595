// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/boot_block.h"

namespace plectl::guests {
namespace {

uint32_t FlagsOf(InterruptsOff interrupts_off) {
  switch (interrupts_off) {
    case InterruptsOff::kHolding:
      return PLECTL_BOOT_INTERRUPTS_OFF_HOLDING;
    case InterruptsOff::kLocking:
      return PLECTL_BOOT_INTERRUPTS_OFF_LOCKING;
    case InterruptsOff::kNever:
      break;
  }
  return 0;
}

}  // namespace

plectl_boot_block BootBlockOf(const GuestRequest& request, uint32_t payload) {
  const Workload& workload = request.workload;
  plectl_boot_block boot{};
  boot.magic = PLECTL_BOOT_MAGIC;
  boot.version = PLECTL_ABI_VERSION;
  boot.size = sizeof(boot);
  boot.vcpus = workload.vcpus;
  boot.payload = payload;
  boot.flags = FlagsOf(workload.interrupts_off);
  boot.iterations = workload.iterations;
  boot.hold_tsc_cycles = workload.hold_tsc_cycles;
  boot.think_tsc_cycles = workload.think_tsc_cycles;
  boot.body_loops = workload.body_loops;
  boot.relax_tsc_cycles = request.relax_tsc_cycles;
  return boot;
}

}  // namespace plectl::guests
