/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/payloads/lock_workload.h"

#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/measure.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))

/* `off` is a constant in what follows, so that interrupts that stay on cost no instruction. */
ALWAYS_INLINE void acquire_measured(struct vcpu* vcpu, const struct lock_operations* lock,
                                    uint32_t off) {
  uint64_t start;
  uint64_t spins;

  if (off == PLECTL_BOOT_INTERRUPTS_OFF_LOCKING) disable_interrupts();
  start = rdtsc();
  spins = lock->acquire(vcpu);
  if (off == PLECTL_BOOT_INTERRUPTS_OFF_HOLDING) disable_interrupts();
  record_wait(vcpu, rdtsc() - start);
  record_spins(vcpu, spins);
}

NOINLINE noreturn void report_violation(const struct vcpu* vcpu, uint64_t owner) {
  vcpu->result->other_owner = (uint32_t)owner;
  abort_guest(PLECTL_ABORT_EXCLUSION);
}

/*
 * Nothing here is atomic: with two vCPUs inside, one of them finds another owner, or a count is
 * lost, which the host sees.
 */
ALWAYS_INLINE void enter_critical_section(const struct vcpu* vcpu) {
  volatile struct plectl_result_block* block = &result_block;
  const uint64_t owner = block->owner;

  if (owner != 0) report_violation(vcpu, owner);
  block->owner = vcpu->id + 1;
  block->protected_counter = block->protected_counter + 1;
}

ALWAYS_INLINE void leave_critical_section(const struct vcpu* vcpu) {
  volatile struct plectl_result_block* block = &result_block;
  const uint64_t owner = block->owner;

  if (owner != vcpu->id + 1) report_violation(vcpu, owner);
  block->owner = 0;
}

ALWAYS_INLINE void run_once(struct vcpu* vcpu, const struct lock_operations* lock, uint32_t off) {
  const uint64_t hold = lock->hold ? lock->hold(vcpu) : next_hold(vcpu);

  acquire_measured(vcpu, lock, off);
  enter_critical_section(vcpu);
  busy_wait(hold);
  leave_critical_section(vcpu);
  lock->release(vcpu);
  if (off != 0) enable_interrupts();
  busy_wait(next_think(vcpu));
}

ALWAYS_INLINE void run(struct vcpu* vcpu, const struct lock_operations* lock, uint32_t off) {
  do run_once(vcpu, lock, off);
  while (lock->more ? lock->more(vcpu) : work_left(vcpu));
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
  switch (vcpu->flags & PLECTL_BOOT_INTERRUPTS_OFF) {
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
