/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/payloads/lock_workload.h"

#include "guest_workloads/rt/cpu.h"

static void record_wait(struct plectl_vcpu_result* result, uint64_t cycles) {
  result->wait_tsc_cycles_total += cycles;
  if (cycles > result->wait_tsc_cycles_max) result->wait_tsc_cycles_max = cycles;
}

static void acquire_measured(struct vcpu* vcpu, const struct lock_operations* lock) {
  const uint64_t start = rdtsc();

  vcpu->result->spins += lock->acquire(vcpu);
  record_wait(vcpu->result, rdtsc() - start);
  vcpu->result->acquisitions++;
}

/* Loses counts if two vCPUs are ever inside at once: that is what the host checks. */
static void count_in_critical_section(void) {
  volatile uint64_t* counter = &result_block.protected_counter;

  *counter = *counter + 1;
}

void lock_workload_run(struct vcpu* vcpu, const struct lock_operations* lock) {
  for (uint64_t i = 0; i < vcpu->iterations; i++) {
    acquire_measured(vcpu, lock);
    count_in_critical_section();
    busy_wait(vcpu->hold_tsc_cycles);
    lock->release(vcpu);
    busy_wait(vcpu->think_tsc_cycles);
  }
}
