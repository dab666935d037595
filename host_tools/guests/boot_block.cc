// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/boot_block.h"

namespace plectl::guests {
namespace {

uint32_t InterruptFlagsOf(InterruptsOff interrupts_off) {
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

uint32_t FlagsOf(const Workload& workload) {
  uint32_t flags = InterruptFlagsOf(workload.interrupts_off);
  if (workload.hold_distribution == Distribution::kExponential) {
    flags |= PLECTL_BOOT_HOLD_EXPONENTIAL;
  }
  if (workload.think_distribution == Distribution::kExponential) {
    flags |= PLECTL_BOOT_THINK_EXPONENTIAL;
  }
  return flags;
}

}  // namespace

plectl_boot_block BootBlockOf(const GuestRequest& request, uint32_t payload, uint32_t first_vcpu) {
  const Workload& workload = request.workload;
  plectl_boot_block boot{};
  boot.magic = PLECTL_BOOT_MAGIC;
  boot.version = PLECTL_ABI_VERSION;
  boot.size = sizeof(boot);
  boot.vcpus = workload.vcpus;
  boot.payload = payload;
  boot.flags = FlagsOf(workload);
  boot.first_vcpu = first_vcpu;
  boot.relax_repeat = workload.relax_repeat;
  boot.iterations = workload.iterations;
  boot.duration_tsc_cycles = workload.duration_tsc_cycles;
  boot.hold_tsc_cycles = workload.hold_tsc_cycles;
  boot.think_tsc_cycles = workload.think_tsc_cycles;
  boot.body_loops = workload.body_loops;
  boot.relax_tsc_cycles = request.relax_tsc_cycles;
  boot.random_seed = workload.random_seed;
  return boot;
}

}  // namespace plectl::guests
