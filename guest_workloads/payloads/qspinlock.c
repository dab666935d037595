/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux' native queued spinlock (kernel/locking/qspinlock.c), step by step: one word holds the
 * locked byte, a pending bit for the first waiter, who spins on the word, and the tail of an MCS
 * queue of all others, of whom the head spins on the word too. So a fair lock of four bytes whose
 * second vCPU needs no queue node. docs/guest.md lists what differs from Linux.
 */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"

#define LOCKED 1u
#define LOCKED_MASK 0xffu
#define PENDING_BIT 8
#define PENDING (1u << PENDING_BIT)
#define TAIL_SHIFT 16
#define PENDING_LOOPS 512 /* _Q_PENDING_LOOPS of arch/x86/include/asm/qspinlock.h */

/* In lines far apart, as per-CPU variables are: no prefetcher may couple two of them. */
struct node {
  volatile uint32_t next;    /* 1 + the vCPU behind; 0: none */
  volatile uint32_t at_head; /* of the queue */
} __attribute__((aligned(512)));

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

/* Puts `wanted` where *expected is. Returns whether it was; if not, *expected is what was there. */
static int replace(uint32_t* expected, uint32_t wanted) {
  return __atomic_compare_exchange_n(&lock.word, expected, wanted, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

/* queued_spin_trylock(): looks before it writes. */
static int try_lock(void) {
  uint32_t word = __atomic_load_n(&lock.word, __ATOMIC_RELAXED);

  return word == 0 && replace(&word, LOCKED);
}

/* queued_fetch_set_pending_acquire() of x86: the bit by BTS, the rest by a look after it. */
static uint32_t fetch_set_pending(void) {
  uint8_t was_pending;

  __asm__ volatile("lock btsl %[bit], %[word]\n\tsetc %[was]"
                   : [word] "+m"(lock.word), [was] "=qm"(was_pending)
                   : [bit] "I"(PENDING_BIT)
                   : "cc", "memory");
  return (was_pending ? PENDING : 0) | (__atomic_load_n(&lock.word, __ATOMIC_RELAXED) & ~PENDING);
}

/* Behind the vCPUs before, until this one is the head. */
static uint64_t wait_for_head(const struct vcpu* vcpu, struct node* mine) {
  const uint16_t before =
      __atomic_exchange_n(&lock.tail, (uint16_t)(vcpu->id + 1), __ATOMIC_ACQ_REL);

  if (before == 0) return 0;
  __atomic_store_n(&nodes[before - 1].next, vcpu->id + 1, __ATOMIC_RELEASE);
  if (__atomic_load_n(&mine->at_head, __ATOMIC_ACQUIRE) != 0) return 0;
  return relax_until_equal(&mine->at_head, 1, vcpu->relax);
}

/* The head, once the lock is free: takes it, and makes the next one the head. */
static uint64_t claim(const struct vcpu* vcpu, struct node* mine) {
  uint32_t word = __atomic_load_n(&lock.word, __ATOMIC_ACQUIRE);
  uint64_t spins = 0;

  /* The last of the queue takes the queue away; else somebody is behind, or tries to be pending. */
  if (word == (vcpu->id + 1) << TAIL_SHIFT && replace(&word, LOCKED)) return 0;
  __atomic_store_n(&lock.locked, LOCKED, __ATOMIC_RELAXED);
  if (mine->next == 0) spins = relax_until_different(&mine->next, 0, vcpu->relax);
  __atomic_store_n(&nodes[mine->next - 1].at_head, 1, __ATOMIC_RELEASE);
  return spins;
}

static uint64_t acquire_queued(const struct vcpu* vcpu) {
  struct node* mine = &nodes[vcpu->id];
  uint64_t spins;

  mine->at_head = 0;
  mine->next = 0;
  /* The node's line may have been cold; perhaps somebody has let go meanwhile. */
  if (try_lock()) {
    vcpu->result->extra[QSPINLOCK_NODE_TRYLOCKS]++;
    return 0;
  }
  vcpu->result->extra[QSPINLOCK_QUEUED]++;
  spins = wait_for_head(vcpu, mine);
  if (__atomic_load_n(&lock.locked_and_pending, __ATOMIC_ACQUIRE) != 0)
    spins += relax_until_half_equal(&lock.locked_and_pending, 0, vcpu->relax);
  return spins + claim(vcpu, mine);
}

static uint64_t acquire_pending(const struct vcpu* vcpu) {
  uint64_t spins = 0;

  vcpu->result->extra[QSPINLOCK_PENDING]++;
  if (__atomic_load_n(&lock.locked, __ATOMIC_ACQUIRE) != 0)
    spins = relax_until_byte_equal(&lock.locked, 0, vcpu->relax);
  __atomic_store_n(&lock.locked_and_pending, LOCKED, __ATOMIC_RELAXED);
  return spins;
}

/* A pending vCPU is about to take the lock that was let go: worth a bounded wait. */
static uint64_t wait_for_handover(const struct vcpu* vcpu, uint32_t* word) {
  uint64_t spins = 0;

  vcpu->result->extra[QSPINLOCK_HANDOVER_WAITS]++;
  if (__atomic_load_n(&lock.word, __ATOMIC_RELAXED) == PENDING)
    spins = relax_turns_while(&lock.word, PENDING, vcpu->relax, PENDING_LOOPS);
  *word = __atomic_load_n(&lock.word, __ATOMIC_RELAXED);
  return spins;
}

/* queued_spin_lock_slowpath(). */
static __attribute__((noinline)) uint64_t acquire_slowly(const struct vcpu* vcpu, uint32_t word) {
  uint64_t spins = 0;

  if (word == PENDING) spins = wait_for_handover(vcpu, &word);
  if (word & ~LOCKED_MASK) return spins + acquire_queued(vcpu);
  word = fetch_set_pending();
  if (!(word & ~LOCKED_MASK)) return spins + acquire_pending(vcpu);
  /* Others came in between: the bit is theirs, or, with a queue, must not be taken. */
  if (!(word & PENDING)) __atomic_fetch_and(&lock.word, ~PENDING, __ATOMIC_RELAXED);
  return spins + acquire_queued(vcpu);
}

static uint64_t qspinlock_acquire(const struct vcpu* vcpu) {
  uint32_t word = 0;

  if (replace(&word, LOCKED)) return 0;
  return acquire_slowly(vcpu, word);
}

static void qspinlock_release(const struct vcpu* vcpu) {
  (void)vcpu;
  __atomic_store_n(&lock.locked, 0, __ATOMIC_RELEASE);
}

void qspinlock_run(struct vcpu* vcpu) {
  static const struct lock_operations qspinlock = {qspinlock_acquire, qspinlock_release, 0, 0};
  uint64_t* extra = vcpu->result->extra;

  lock_workload_run(vcpu, &qspinlock);
  /* The rest, so that the fast path counts nothing. */
  extra[QSPINLOCK_UNCONTENDED] = vcpu->result->acquisitions - extra[QSPINLOCK_PENDING] -
                                 extra[QSPINLOCK_QUEUED] - extra[QSPINLOCK_NODE_TRYLOCKS];
}
