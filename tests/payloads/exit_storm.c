/* SPDX-License-Identifier: Apache-2.0 */
/* VM exits that are no PAUSE exits, one per turn: what an observer adds to those. */
#include "guest_workloads/rt/rt.h"

static void cpuid_storm(struct vcpu* vcpu) {
  uint64_t turn;

  for (turn = 0; turn != vcpu->iterations; ++turn) {
    uint32_t a = 0, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  }
  vcpu->result->spins = vcpu->iterations;
}

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {.name = "cpuid_storm",
     .min_vcpus = 1,
     .flags = PLECTL_PAYLOAD_SPINNER,
     .run = cpuid_storm},
};
