/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of Linux' native queued spinlock: one word holds the locked byte, a pending bit for the
 * first waiter, who spins on the word, and the tail of an MCS queue of all others, of whom the head
 * spins on the word too. So a fair lock of four bytes whose second vCPU needs no queue node.
 */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"

#define LOCKED 1u
#define LOCKED_MASK 0xffu
#define PENDING 0x100u
#define TAIL_SHIFT 16

struct node {
  volatile uint32_t next;    /* 1 + the vCPU behind; 0: none */
  volatile uint32_t at_head; /* of the queue */
} __attribute__((aligned(64)));

static struct node nodes[PLECTL_MAX_VCPUS];

/* Little-endian: the parts that are stored and watched by themselves. */
static union {
  volatile uint32_t word;
  struct {
    volatile uint16_t locked_and_pending;
    volatile uint16_t tail; /* 1 + the last vCPU of the queue; 0: no queue */
  };
  volatile uint8_t locked;
} lock __attribute__((aligned(64)));

/* True when the word was `expected` and now is `wanted`. */
static int replace(uint32_t expected, uint32_t wanted) {
  return __atomic_compare_exchange_n(&lock.word, &expected, wanted, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

/* Behind the vCPUs before, until this one is the head. */
static uint64_t wait_for_head(const struct vcpu* vcpu, struct node* mine) {
  uint16_t before;

  mine->next = 0;
  mine->at_head = 0;
  before = __atomic_exchange_n(&lock.tail, (uint16_t)(vcpu->id + 1), __ATOMIC_ACQ_REL);
  if (before == 0) return 0;
  __atomic_store_n(&nodes[before - 1].next, vcpu->id + 1, __ATOMIC_RELEASE);
  return relax_until_equal(&mine->at_head, 1, vcpu->relax);
}

static uint64_t acquire_queued(const struct vcpu* vcpu) {
  struct node* mine = &nodes[vcpu->id];
  uint64_t spins = wait_for_head(vcpu, mine);

  if (__atomic_load_n(&lock.locked_and_pending, __ATOMIC_ACQUIRE) != 0)
    spins += relax_until_half_equal(&lock.locked_and_pending, 0, vcpu->relax);
  /* Only the head takes a lock that has a queue, so nobody can be faster. */
  if (replace((vcpu->id + 1) << TAIL_SHIFT, LOCKED)) return spins;
  __atomic_store_n(&lock.locked, LOCKED, __ATOMIC_RELAXED);
  if (mine->next == 0) spins += relax_until_different(&mine->next, 0, vcpu->relax);
  __atomic_store_n(&nodes[mine->next - 1].at_head, 1, __ATOMIC_RELEASE);
  return spins;
}

static uint64_t acquire_pending(const struct vcpu* vcpu) {
  uint64_t spins = 0;

  if (__atomic_load_n(&lock.locked, __ATOMIC_ACQUIRE) != 0)
    spins = relax_until_byte_equal(&lock.locked, 0, vcpu->relax);
  __atomic_store_n(&lock.locked_and_pending, LOCKED, __ATOMIC_RELAXED);
  return spins;
}

static uint64_t qspinlock_acquire(const struct vcpu* vcpu) {
  uint32_t before;

  if (replace(0, LOCKED)) return 0;
  if (lock.word & ~LOCKED_MASK) return acquire_queued(vcpu);
  before = __atomic_fetch_or(&lock.word, PENDING, __ATOMIC_ACQUIRE);
  if (!(before & ~LOCKED_MASK)) return acquire_pending(vcpu);
  /* Others came in between: the bit is theirs, or, with a queue, must not be taken. */
  if (!(before & PENDING)) __atomic_fetch_and(&lock.word, ~PENDING, __ATOMIC_RELAXED);
  return acquire_queued(vcpu);
}

static void qspinlock_release(const struct vcpu* vcpu) {
  (void)vcpu;
  __atomic_store_n(&lock.locked, 0, __ATOMIC_RELEASE);
}

void qspinlock_run(struct vcpu* vcpu) {
  static const struct lock_operations qspinlock = {qspinlock_acquire, qspinlock_release, 0, 0};

  lock_workload_run(vcpu, &qspinlock);
}
