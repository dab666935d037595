/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/rt.h"

/* What payloads of PLECTL_PAYLOAD_ROUNDS share: pace and measurement. Inline: it stands in loops.
 */

/* The bucket of a wait (abi.h). */
static inline uint64_t wait_bucket(uint64_t cycles) {
  const uint64_t bits = 63u - (uint64_t)__builtin_clzll(cycles | PLECTL_WAIT_SUB_BUCKETS);
  const uint64_t shift = bits - PLECTL_WAIT_SUB_BITS;

  return (shift << PLECTL_WAIT_SUB_BITS) + (cycles >> shift);
}

/* One acquisition, after a wait of `cycles`. */
static inline void record_wait(struct vcpu* vcpu, uint64_t cycles) {
  struct plectl_vcpu_result* result = vcpu->result;

  result->wait_tsc_cycles_total += cycles;
  if (cycles > result->wait_tsc_cycles_max) result->wait_tsc_cycles_max = cycles;
  vcpu->waits->counts[wait_bucket(cycles)]++;
  result->acquisitions++;
}

/* What the wait of one acquisition executed: none when nothing stood in its way. */
static inline void record_spins(struct vcpu* vcpu, uint64_t spins) {
  vcpu->result->spins += spins;
  vcpu->result->contended += spins != 0;
}

/* Whether this vCPU's time is up; never when `iterations` says how often. */
static inline int out_of_time(const struct vcpu* vcpu) {
  return vcpu->duration_tsc_cycles != 0 &&
         rdtsc() - vcpu->result->tsc_start >= vcpu->duration_tsc_cycles;
}

/* Asked after each round. */
static inline int work_left(const struct vcpu* vcpu) {
  return vcpu->result->acquisitions < vcpu->iterations && !out_of_time(vcpu);
}

/* How long to hold, to think this time. */
static inline uint64_t next_hold(struct vcpu* vcpu) {
  if (!(vcpu->flags & PLECTL_BOOT_HOLD_EXPONENTIAL)) return vcpu->hold_tsc_cycles;
  return random_exponential(&vcpu->random, vcpu->hold_tsc_cycles);
}

static inline uint64_t next_think(struct vcpu* vcpu) {
  if (!(vcpu->flags & PLECTL_BOOT_THINK_EXPONENTIAL)) return vcpu->think_tsc_cycles;
  return random_exponential(&vcpu->random, vcpu->think_tsc_cycles);
}
