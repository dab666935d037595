/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU without work: it halts until the tick of its local APIC's timer, which it has set
 * think_tsc_cycles ahead. No relax instruction at all, so no setting of PLE may change anything.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/lapic.h"
#include "guest_workloads/rt/measure.h"

#define VECTOR 0x41
#define RATE_SHIFT 20 /* lapic_timer_rate() */

struct tick {
  volatile uint64_t wakeups;
  uint64_t timer_rate;
} __attribute__((aligned(64)));

static struct tick ticks[PLECTL_MAX_VCPUS];

static void wake_up(void) {
  struct tick* mine = &ticks[current_vcpu()];

  mine->wakeups = mine->wakeups + 1;
  lapic_end_interrupt();
}

void idle_prepare(struct vcpu* vcpu) {
  interrupts_handle(VECTOR, wake_up);
  lapic_enable();
  ticks[vcpu->id].timer_rate = lapic_timer_rate();
  lapic_timer_vector(VECTOR);
}

/* At least one, since 0 stops the timer, and at most what its register holds. */
static uint32_t timer_counts(const struct vcpu* vcpu, uint64_t cycles) {
  const uint64_t cycles_max = (uint64_t)UINT32_MAX << RATE_SHIFT;
  const uint64_t rate = ticks[vcpu->id].timer_rate | 1;
  const uint64_t counts = cycles < cycles_max / rate ? cycles * rate >> RATE_SHIFT : UINT32_MAX;

  return counts == 0 ? 1 : (uint32_t)counts;
}

/* Off before the timer is set, so that its tick cannot come before the HLT that waits for it. */
static void sleep(struct vcpu* vcpu) {
  const struct tick* mine = &ticks[vcpu->id];
  const uint64_t before = mine->wakeups;
  const uint32_t counts = timer_counts(vcpu, next_think(vcpu));
  const uint64_t start = rdtsc();

  disable_interrupts();
  lapic_timer_start(counts);
  while (mine->wakeups == before) halt_until_interrupt();
  enable_interrupts();
  record_wait(vcpu, rdtsc() - start);
}

void idle_run(struct vcpu* vcpu) {
  do sleep(vcpu);
  while (work_left(vcpu));
}
