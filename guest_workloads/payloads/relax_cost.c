/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a relax instruction costs and how far apart those of a loop are: the time of 2N of them less
 * that of N, so that what stands around them cancels out, each the fastest of several runs, so that
 * interrupts and cold caches do not count. PAUSE exits would; the host turns them off.
 *
 * The runs of N and of 2N take turns, so that a core that changes its frequency meanwhile gives
 * both their fastest at the same one; and N is large against the steps in which some TSCs count.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/relax.h"

#define RUNS 16
#define ROW 32    /* half of the longest row */
#define ROWS 8    /* of each length in a run */
#define TURNS 256 /* of a loop */
#define MILLI 1000

/* Runs `count` of what is measured. */
typedef void (*measured_function)(uint64_t count, const struct relax_shape* shape);

static void run_rows(uint64_t count, const struct relax_shape* shape) {
  (void)shape;
  for (int row = 0; row < ROWS; row++) relax_row(count);
}

static void run_wait_loop(uint64_t count, const struct relax_shape* shape) {
  volatile uint32_t word = 0;

  relax_turns(&word, 1, shape, count);
}

static void run_pause_loop(uint64_t count, const struct relax_shape* shape) {
  pause_loop_turns(count, shape);
}

static uint64_t time_of(measured_function measured, uint64_t count,
                        const struct relax_shape* shape) {
  const uint64_t start = rdtsc_ordered();

  measured(count, shape);
  return rdtsc_ordered() - start;
}

/* Of `count * repeats` relax instructions; 0 when the longer runs took no longer. */
static uint64_t milli_cycles(measured_function measured, uint64_t count, uint64_t repeats,
                             const struct relax_shape* shape) {
  uint64_t once = UINT64_MAX;
  uint64_t twice = UINT64_MAX;

  for (int run = 0; run < RUNS; run++) {
    const uint64_t shorter = time_of(measured, count, shape);
    const uint64_t longer = time_of(measured, 2 * count, shape);

    if (shorter < once) once = shorter;
    if (longer < twice) twice = longer;
  }
  return twice > once ? (twice - once) * MILLI / (count * repeats) : 0;
}

void relax_cost_run(struct vcpu* vcpu) {
  uint64_t* extra = vcpu->result->extra;

  extra[RELAX_COST_ROW] = milli_cycles(run_rows, ROW, ROWS, vcpu->relax);
  extra[RELAX_COST_WAIT_LOOP] = milli_cycles(run_wait_loop, TURNS, 1, vcpu->relax);
  extra[RELAX_COST_PAUSE_LOOP] = milli_cycles(run_pause_loop, TURNS, 1, vcpu->relax);
  vcpu->result->spins = RUNS * (3 * ROWS * ROW + 6 * TURNS);
}
