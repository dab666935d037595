/* SPDX-License-Identifier: Apache-2.0 */
/* Exits of two kinds, one vCPU alone, for what an observer adds to each: PAUSE and CPUID. */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/rt.h"

/* One exit per turn. */
static void cpuid_storm(struct vcpu* vcpu) {
  uint64_t turn;

  for (turn = 0; turn != vcpu->iterations; ++turn) {
    uint32_t a = 0, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  }
  vcpu->result->spins = vcpu->iterations;
}

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {.name = "cpuid_storm", .min_vcpus = 1, .flags = PLECTL_PAYLOAD_SPINNER, .run = cpuid_storm},
    {.name = "pause_loop", .min_vcpus = 1, .flags = PLECTL_PAYLOAD_SPINNER, .run = pause_loop_run},
};
