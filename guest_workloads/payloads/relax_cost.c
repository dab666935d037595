/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a relax instruction costs and how far apart those of a loop are: the time of 2N of them less
 * that of N, so that what stands around them cancels out, each the fastest of several runs, so that
 * interrupts and cold caches do not count. PAUSE exits would; the host turns them off.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/relax.h"

#define RUNS 16
#define ROW 32    /* half of the longest row */
#define TURNS 128 /* of a loop */
#define MILLI 1000

/* Runs `count` of what is measured. */
typedef void (*measured_function)(uint64_t count, const struct relax_shape* shape);

static void run_row(uint64_t count, const struct relax_shape* shape) {
  (void)shape;
  relax_row(count);
}

static void run_wait_loop(uint64_t count, const struct relax_shape* shape) {
  volatile uint32_t word = 0;

  relax_turns(&word, 1, shape, count);
}

static void run_pause_loop(uint64_t count, const struct relax_shape* shape) {
  pause_loop_turns(count, shape);
}

static uint64_t fastest(measured_function measured, uint64_t count,
                        const struct relax_shape* shape) {
  uint64_t best = UINT64_MAX;

  for (int run = 0; run < RUNS; run++) {
    const uint64_t start = rdtsc_ordered();
    uint64_t cycles;

    measured(count, shape);
    cycles = rdtsc_ordered() - start;
    if (cycles < best) best = cycles;
  }
  return best;
}

static uint64_t milli_cycles(measured_function measured, uint64_t count,
                             const struct relax_shape* shape) {
  const uint64_t once = fastest(measured, count, shape);
  const uint64_t twice = fastest(measured, 2 * count, shape);

  return twice > once ? (twice - once) * MILLI / count : 0;
}

void relax_cost_run(struct vcpu* vcpu) {
  uint64_t* extra = vcpu->result->extra;

  extra[RELAX_COST_ROW] = milli_cycles(run_row, ROW, vcpu->relax);
  extra[RELAX_COST_WAIT_LOOP] = milli_cycles(run_wait_loop, TURNS, vcpu->relax);
  extra[RELAX_COST_PAUSE_LOOP] = milli_cycles(run_pause_loop, TURNS, vcpu->relax);
  vcpu->result->spins = RUNS * (3 * ROW + 6 * TURNS);
}
