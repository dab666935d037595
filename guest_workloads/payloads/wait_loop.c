/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop in which a vCPU waits for a lock, alone: what it waits for never comes, and it gives up
 * after so many turns. Shows at which gap PLE sees that very loop.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"

void wait_loop_run(struct vcpu* vcpu) {
  volatile uint32_t word = 0;

  vcpu->result->spins = relax_turns(&word, 1, vcpu->relax, vcpu->iterations);
}
