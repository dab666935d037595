/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing but relax instructions, with a time stamp after each: measures the distance between two
 * of them and how long the CPU lets them run until a VM exit cuts in. No lock, no second vCPU
 * needed.
 *
 * A run goes from just before its first relax instruction to the stamp of the last one before a
 * break. Under pause-loop exiting with a fixed window the longest runs are those that the window
 * cut; timer ticks and other exits only cut shorter ones. So the runs within one interval of the
 * longest are the full ones, and their mean is the effective window.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/cpu.h"
#include "guest_workloads/rt/relax.h"

/*
 * A stamp later than one interval and this part of a VM exit's time is a break. A core that becomes
 * this much slower than when both were measured makes no break of an interval, and one that becomes
 * this much faster hides no exit: a PAUSE exit costs more than that of CPUID, and both are core
 * cycles, of which the TSC makes more or fewer.
 */
#define BREAK_PART 4
#define CALIBRATION_ROUNDS 32
#define CALIBRATION_INTERVALS 4 /* short bursts: few are cut even by a small window */

/* The fastest exit by CPUID of each vCPU, in TSC cycles. */
static struct { uint64_t cycles; } __attribute__((aligned(64))) exits[PLECTL_MAX_VCPUS];

struct burst {
  uint64_t relaxes;    /* executed */
  uint64_t run_cycles; /* up to the break, or to the last stamp when there was none */
  int broken;
};

/* Runs until `*left` is 0 or a stamp is over `limit` after the last. Returns the last stamp. */
static uint32_t relax_stamped(uint64_t* left, uint32_t stamp, uint32_t limit) {
  __asm__ volatile("1:\t" RELAX_SITE
                   "rdtsc\n\t"
                   "movl %%eax, %%edx\n\t"
                   "subl %[stamp], %%edx\n\t"
                   "cmpl %[limit], %%edx\n\t"
                   "ja 2f\n\t"
                   "movl %%eax, %[stamp]\n\t"
                   "decq %[left]\n\t"
                   "jnz 1b\n"
                   "2:"
                   : [left] "+r"(*left), [stamp] "+r"(stamp)
                   : [limit] "r"(limit)
                   : "eax", "edx", "cc", "memory");
  return stamp;
}

/* The same with `body_loops` turns of an empty loop after each relax instruction. */
static uint32_t relax_stamped_with_body(uint64_t* left, uint32_t stamp, uint32_t limit,
                                        uint64_t body_loops) {
  uint64_t turn;

  __asm__ volatile("1:\t" RELAX_SITE
                   "movq %[body_loops], %[turn]\n"
                   "2:\tdecq %[turn]\n\t"
                   "jnz 2b\n\t"
                   "rdtsc\n\t"
                   "movl %%eax, %%edx\n\t"
                   "subl %[stamp], %%edx\n\t"
                   "cmpl %[limit], %%edx\n\t"
                   "ja 3f\n\t"
                   "movl %%eax, %[stamp]\n\t"
                   "decq %[left]\n\t"
                   "jnz 1b\n"
                   "3:"
                   : [left] "+r"(*left), [stamp] "+r"(stamp), [turn] "=&r"(turn)
                   : [limit] "r"(limit), [body_loops] "r"(body_loops)
                   : "eax", "edx", "cc", "memory");
  return stamp;
}

static uint32_t relax_stamped_padded(uint64_t* left, uint32_t stamp, uint32_t limit,
                                     uint64_t padding) {
  __asm__ volatile("1:\t" RELAX_SITE_PADDED
                   "rdtsc\n\t"
                   "movl %%eax, %%edx\n\t"
                   "subl %[stamp], %%edx\n\t"
                   "cmpl %[limit], %%edx\n\t"
                   "ja 2f\n\t"
                   "movl %%eax, %[stamp]\n\t"
                   "decq %[left]\n\t"
                   "jnz 1b\n"
                   "2:"
                   : [left] "+r"(*left), [stamp] "+r"(stamp)
                   : [limit] "r"(limit), [padding] "r"(padding)
                   : "eax", "edx", RELAX_PADDING_CLOBBERS);
  return stamp;
}

static uint32_t relax_stamped_in_shape(uint64_t* left, uint32_t stamp, uint32_t limit,
                                       const struct relax_shape* shape) {
  if (shape->padding != 0) return relax_stamped_padded(left, stamp, limit, shape->padding);
  return relax_stamped_with_body(left, stamp, limit, shape->body_loops);
}

/* At most `count` relax instructions, ending early at a break. */
static struct burst relax_burst(uint64_t count, uint32_t limit, const struct relax_shape* shape) {
  uint64_t left = count;
  const uint64_t first = rdtsc();
  const uint32_t last = shape == 0 ? relax_stamped(&left, (uint32_t)first, limit)
                                   : relax_stamped_in_shape(&left, (uint32_t)first, limit, shape);
  const uint64_t now = rdtsc();
  const uint64_t last_full = now - (uint32_t)((uint32_t)now - last);

  /* The relax instruction whose stamp came too late was executed but not counted down. */
  return (struct burst){
      .relaxes = left == 0 ? count : count - left + 1,
      .run_cycles = last_full - first,
      .broken = left != 0,
  };
}

static uint64_t shortest_burst(struct vcpu* vcpu, uint64_t count) {
  uint64_t shortest = UINT64_MAX;

  for (int i = 0; i < CALIBRATION_ROUNDS; i++) {
    const uint64_t cycles = relax_burst(count, UINT32_MAX, vcpu->relax).run_cycles;

    vcpu->result->spins += count;
    if (cycles < shortest) shortest = cycles;
  }
  return shortest;
}

/*
 * The distance between two relax instructions. It is part of what the host counts, since a PAUSE
 * exit before the start barrier would already change the window that the trial starts with.
 */
static uint64_t calibrate(struct vcpu* vcpu) {
  const uint64_t one = shortest_burst(vcpu, 1);
  const uint64_t more = shortest_burst(vcpu, 1 + CALIBRATION_INTERVALS);

  /* A core that became faster in between can make more bursts the shorter ones. */
  return more > one ? (more - one) / CALIBRATION_INTERVALS : 0;
}

/* Before the start barrier, since each is a VM exit. It leaves PLE's window as it is. */
void pause_storm_prepare(struct vcpu* vcpu) {
  uint64_t fastest = UINT64_MAX;

  for (int i = 0; i < CALIBRATION_ROUNDS; i++) {
    const uint64_t start = rdtsc();
    uint64_t cycles;

    cpu_id();
    cycles = rdtsc() - start;
    if (cycles < fastest) fastest = cycles;
  }
  exits[vcpu->id].cycles = fastest;
}

/* A run longer than all before starts the full ones anew: what was taken for full was cut short. */
static void record_run(uint64_t* extra, uint64_t cycles) {
  const uint64_t interval = extra[PAUSE_STORM_INTERVAL];
  const uint64_t longest = extra[PAUSE_STORM_LONGEST_RUN];

  extra[PAUSE_STORM_RUNS]++;
  if (cycles > longest + interval) {
    extra[PAUSE_STORM_FULL_RUNS] = 0;
    extra[PAUSE_STORM_FULL_RUNS_CYCLES] = 0;
  }
  if (cycles > longest) extra[PAUSE_STORM_LONGEST_RUN] = cycles;
  if (cycles + interval >= longest) {
    extra[PAUSE_STORM_FULL_RUNS]++;
    extra[PAUSE_STORM_FULL_RUNS_CYCLES] += cycles;
  }
}

void pause_storm_run(struct vcpu* vcpu) {
  struct plectl_vcpu_result* result = vcpu->result;
  const uint64_t interval = calibrate(vcpu);
  const uint32_t limit = (uint32_t)(interval + exits[vcpu->id].cycles / BREAK_PART);

  result->extra[PAUSE_STORM_INTERVAL] = interval;
  while (result->spins < vcpu->iterations) {
    const struct burst burst = relax_burst(vcpu->iterations - result->spins, limit, vcpu->relax);

    result->spins += burst.relaxes;
    /* The last burst ended with the iterations: nothing cut it. */
    if (burst.broken) record_run(result->extra, burst.run_cycles);
  }
}
