/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/payloads/lock_workload.h"

#include "guest_workloads/rt/cpu.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))

static void record_wait(struct plectl_vcpu_result* result, uint64_t cycles) {
  result->wait_tsc_cycles_total += cycles;
  if (cycles > result->wait_tsc_cycles_max) result->wait_tsc_cycles_max = cycles;
}

/* `off` is a constant in what follows, so that interrupts that stay on cost no instruction. */
ALWAYS_INLINE void acquire_measured(struct vcpu* vcpu, const struct lock_operations* lock,
                                    uint32_t off) {
  uint64_t start;

  if (off == PLECTL_BOOT_INTERRUPTS_OFF_LOCKING) disable_interrupts();
  start = rdtsc();
  vcpu->result->spins += lock->acquire(vcpu);
  if (off == PLECTL_BOOT_INTERRUPTS_OFF_HOLDING) disable_interrupts();
  record_wait(vcpu->result, rdtsc() - start);
  vcpu->result->acquisitions++;
}

/* Loses counts if two vCPUs are ever inside at once: that is what the host checks. */
static void count_in_critical_section(void) {
  volatile uint64_t* counter = &result_block.protected_counter;

  *counter = *counter + 1;
}

ALWAYS_INLINE void run(struct vcpu* vcpu, const struct lock_operations* lock, uint32_t off) {
  for (uint64_t i = 0; i < vcpu->iterations; i++) {
    acquire_measured(vcpu, lock, off);
    count_in_critical_section();
    busy_wait(vcpu->hold_tsc_cycles);
    lock->release(vcpu);
    if (off != 0) enable_interrupts();
    busy_wait(vcpu->think_tsc_cycles);
  }
}

/* Functions of their own, so that none moves the code of another. */
NOINLINE void run_holding_off(struct vcpu* vcpu, const struct lock_operations* lock) {
  run(vcpu, lock, PLECTL_BOOT_INTERRUPTS_OFF_HOLDING);
}

NOINLINE void run_locking_off(struct vcpu* vcpu, const struct lock_operations* lock) {
  run(vcpu, lock, PLECTL_BOOT_INTERRUPTS_OFF_LOCKING);
}

NOINLINE void run_always_on(struct vcpu* vcpu, const struct lock_operations* lock) {
  run(vcpu, lock, 0);
}

void lock_workload_run(struct vcpu* vcpu, const struct lock_operations* lock) {
  switch (vcpu->flags) {
    case PLECTL_BOOT_INTERRUPTS_OFF_HOLDING:
      run_holding_off(vcpu, lock);
      break;
    case PLECTL_BOOT_INTERRUPTS_OFF_LOCKING:
      run_locking_off(vcpu, lock);
      break;
    default:
      run_always_on(vcpu, lock);
  }
}
