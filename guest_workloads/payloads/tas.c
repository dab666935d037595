/* SPDX-License-Identifier: Apache-2.0 */
/* Test-and-set: waiters try the atomic at every turn, and so keep its cache line busy. */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/relax.h"

__attribute__((aligned(64))) static volatile uint32_t lock_word;

static uint64_t tas_acquire(const struct vcpu* vcpu) {
  if (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE) == 0) return 0;
  return relax_until_exchanged(&lock_word, 1, vcpu->relax);
}

static void tas_release(const struct vcpu* vcpu) {
  (void)vcpu;
  __atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
}

void tas_run(struct vcpu* vcpu) {
  static const struct lock_operations tas = {tas_acquire, tas_release, 0, 0};

  lock_workload_run(vcpu, &tas);
}
