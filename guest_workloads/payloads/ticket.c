/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket lock: strictly first come, first served, so a preempted waiter stops all behind it. */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"

/* Both counters in one cache line, as in Linux before its queued locks. */
static struct {
  volatile uint32_t next;
  volatile uint32_t owner;
} lock __attribute__((aligned(64)));

static uint64_t ticket_acquire(const struct vcpu* vcpu) {
  const uint32_t ticket = __atomic_fetch_add(&lock.next, 1, __ATOMIC_RELAXED);

  if (__atomic_load_n(&lock.owner, __ATOMIC_ACQUIRE) == ticket) return 0;
  return relax_until_equal(&lock.owner, ticket, vcpu->relax);
}

static void ticket_release(const struct vcpu* vcpu) {
  (void)vcpu;
  __atomic_store_n(&lock.owner, lock.owner + 1, __ATOMIC_RELEASE);
}

void ticket_run(struct vcpu* vcpu) {
  static const struct lock_operations ticket = {ticket_acquire, ticket_release, 0, 0};

  lock_workload_run(vcpu, &ticket);
}
