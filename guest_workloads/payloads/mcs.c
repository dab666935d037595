/* SPDX-License-Identifier: Apache-2.0 */
/* An MCS lock: first come, first served, and each waiter spins on a cache line of its own. */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"

struct node {
  volatile uint32_t next; /* 1 + the vCPU behind; 0: none */
  volatile uint32_t waits;
} __attribute__((aligned(64)));

static struct node nodes[PLECTL_MAX_VCPUS];
__attribute__((aligned(64))) static volatile uint32_t tail; /* 1 + the last vCPU; 0: free */

static uint64_t mcs_acquire(const struct vcpu* vcpu) {
  struct node* mine = &nodes[vcpu->id];
  uint32_t before;

  mine->next = 0;
  mine->waits = 1;
  before = __atomic_exchange_n(&tail, vcpu->id + 1, __ATOMIC_ACQ_REL);
  if (before == 0) return 0;
  __atomic_store_n(&nodes[before - 1].next, vcpu->id + 1, __ATOMIC_RELEASE);
  return relax_until_equal(&mine->waits, 0, vcpu->relax);
}

/* A vCPU that has put itself behind the holder but not said so yet makes the holder wait too. */
static void mcs_release(const struct vcpu* vcpu) {
  struct node* mine = &nodes[vcpu->id];
  uint32_t expected = vcpu->id + 1;

  if (mine->next == 0) {
    if (__atomic_compare_exchange_n(&tail, &expected, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
      return;
    vcpu->result->spins += relax_until_different(&mine->next, 0, vcpu->relax);
  }
  __atomic_store_n(&nodes[mine->next - 1].waits, 0, __ATOMIC_RELEASE);
}

void mcs_run(struct vcpu* vcpu) {
  static const struct lock_operations mcs = {mcs_acquire, mcs_release, 0, 0};

  lock_workload_run(vcpu, &mcs);
}
