/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/payloads/broken_locks.h"

#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/relax.h"

#define BETWEEN_CHECK_AND_SET_TSC_CYCLES 300

static volatile uint32_t lock_word;

static uint64_t check_then_set(const struct vcpu* vcpu) {
  uint64_t spins = 0;

  if (lock_word != 0) spins = relax_until_equal(&lock_word, 0, vcpu->relax);
  busy_wait(BETWEEN_CHECK_AND_SET_TSC_CYCLES);
  lock_word = 1;
  return spins;
}

static void unset(const struct vcpu* vcpu) {
  (void)vcpu;
  lock_word = 0;
}

void check_then_set_run(struct vcpu* vcpu) {
  static const struct lock_operations lock = {check_then_set, unset, 0, 0};

  lock_workload_run(vcpu, &lock);
}

static volatile uint32_t next_ticket, called_ticket;

static uint64_t take_ticket(const struct vcpu* vcpu) {
  const uint32_t ticket = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_RELAXED);
  uint64_t spins = 0;

  if (called_ticket != ticket) spins = relax_until_equal(&called_ticket, ticket, vcpu->relax);
  called_ticket = ticket + 1;
  return spins;
}

static void release_nothing(const struct vcpu* vcpu) { (void)vcpu; }

void early_release_run(struct vcpu* vcpu) {
  static const struct lock_operations lock = {take_ticket, release_nothing, 0, 0};

  lock_workload_run(vcpu, &lock);
}
