/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ttas lock whose holder loses its CPU: one acquisition in LONG_HOLD_OF, picked at random, holds
 * the lock for hold_tsc_cycles, the others for SHORT_HOLD of that. Under overcommit a hold of more
 * than a time slice cannot end before another vCPU has had the CPU, and found the lock taken.
 */
#include "guest_workloads/payloads/lock_workload.h"
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/random.h"

#define LONG_HOLD_OF 16
#define SHORT_HOLD(hold) ((hold) / 1024)

struct hold {
  uint64_t start;
  uint64_t is_long;
} __attribute__((aligned(64)));

static struct hold holds[PLECTL_MAX_VCPUS];

static uint64_t pick_hold(struct vcpu* vcpu) {
  const uint64_t is_long = random_next(&vcpu->random) % LONG_HOLD_OF == 0;

  holds[vcpu->id].is_long = is_long;
  return is_long ? vcpu->hold_tsc_cycles : SHORT_HOLD(vcpu->hold_tsc_cycles);
}

static uint64_t acquire(const struct vcpu* vcpu) {
  const uint64_t spins = ttas_acquire(vcpu);

  holds[vcpu->id].start = rdtsc();
  return spins;
}

/* How long the others really had to do without: the hold, and what the holder lost of the CPU. */
static void release(const struct vcpu* vcpu) {
  const uint64_t held = rdtsc() - holds[vcpu->id].start;
  uint64_t* extra = vcpu->result->extra;

  ttas_release(vcpu);
  extra[HOLDER_PREEMPTED_LONG_HOLDS] += holds[vcpu->id].is_long;
  if (held > extra[HOLDER_PREEMPTED_LONGEST_HOLD]) extra[HOLDER_PREEMPTED_LONGEST_HOLD] = held;
}

void holder_preempted_run(struct vcpu* vcpu) {
  static const struct lock_operations operations = {acquire, release, pick_hold, 0};

  lock_workload_run(vcpu, &operations);
}
