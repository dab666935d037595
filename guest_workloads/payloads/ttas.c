/* SPDX-License-Identifier: Apache-2.0 */
/* Test-and-test-and-set: waiters read the lock word and try the atomic only when it looks free. */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"

__attribute__((aligned(64))) static volatile uint32_t lock_word;

uint64_t ttas_acquire(const struct vcpu* vcpu) {
  uint64_t spins = 0;

  while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE) != 0)
    spins += relax_until_equal(&lock_word, 0, vcpu->relax);
  return spins;
}

void ttas_release(const struct vcpu* vcpu) {
  (void)vcpu;
  __atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
}

void ttas_run(struct vcpu* vcpu) {
  static const struct lock_operations ttas = {ttas_acquire, ttas_release, 0, 0};

  lock_workload_run(vcpu, &ttas);
}
