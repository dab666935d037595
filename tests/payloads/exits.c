/* SPDX-License-Identifier: Apache-2.0 */
/* Exits that are no PAUSE exits, as many as asked for: what observers add to those. */
#include "guest_workloads/rt/rt.h"

/* KVM handles a CPUID in the kernel, and always by an exit. */
static void cpuid_storm_run(struct vcpu* vcpu) {
  for (uint64_t turn = 0; turn < vcpu->iterations; ++turn) {
    uint32_t eax = 0, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  }
}

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {.name = "cpuid_storm", .min_vcpus = 1, .run = cpuid_storm_run},
};
