/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token goes round all vCPUs, each waiting on a cache line of its own: the load shape of
 * kvm-unit-tests' ple_round_robin. Only the holder may go on, so it is also a lock.
 */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/measure.h"
#include "guest_workloads/rt/relax.h"

struct slot {
  volatile uint32_t tokens_received;
  uint32_t tokens_used; /* touched by its own vCPU only */
} __attribute__((aligned(64)));

static struct slot slots[PLECTL_MAX_VCPUS] = {{.tokens_received = 1}};

/* The round in which all stop when a duration ends it; 0: not known yet. */
static volatile uint32_t last_round;

static uint64_t token_acquire(const struct vcpu* vcpu) {
  struct slot* mine = &slots[vcpu->id];
  const uint32_t wanted = ++mine->tokens_used;

  if (__atomic_load_n(&mine->tokens_received, __ATOMIC_ACQUIRE) == wanted) return 0;
  return relax_until_equal(&mine->tokens_received, wanted, vcpu->relax);
}

static void token_pass(const struct vcpu* vcpu) {
  const uint32_t next = vcpu->id + 1 == vcpu->vcpus ? 0 : vcpu->id + 1;
  struct slot* theirs = &slots[next];

  /* Before the token goes on, so that each of the others knows when it comes. */
  if (vcpu->id == 0 && out_of_time(vcpu)) last_round = slots[0].tokens_used;
  __atomic_store_n(&theirs->tokens_received, theirs->tokens_received + 1, __ATOMIC_RELEASE);
}

static int token_more(const struct vcpu* vcpu) {
  if (vcpu->duration_tsc_cycles == 0) return work_left(vcpu);
  return last_round == 0 || slots[vcpu->id].tokens_used != last_round;
}

void token_ring_run(struct vcpu* vcpu) {
  static const struct lock_operations token = {token_acquire, token_pass, 0, token_more};

  lock_workload_run(vcpu, &token);
}
