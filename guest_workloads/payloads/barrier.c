/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sense-reversing central barrier: each round all vCPUs wait for the last one, so one preempted
 * vCPU stops all others, as in parallel programs.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/measure.h"
#include "guest_workloads/rt/relax.h"

__attribute__((aligned(64))) static volatile uint32_t missing; /* vCPUs, in this round */
/* Written by the last one only. */
static struct {
  volatile uint32_t sense; /* turns with each round */
  volatile uint32_t stop;  /* this round was the last */
} barrier __attribute__((aligned(64)));

/* Each vCPU; the start barrier orders this before all rounds. */
void barrier_prepare(struct vcpu* vcpu) { missing = vcpu->vcpus; }

static void let_all_go(struct vcpu* vcpu, uint32_t sense) {
  vcpu->result->extra[BARRIER_LAST_ARRIVALS]++;
  missing = vcpu->vcpus;
  barrier.stop = vcpu->result->acquisitions + 1 >= vcpu->iterations || out_of_time(vcpu);
  __atomic_store_n(&barrier.sense, sense, __ATOMIC_RELEASE);
}

static void cross(struct vcpu* vcpu, uint32_t sense) {
  const uint64_t start = rdtsc();

  if (__atomic_sub_fetch(&missing, 1, __ATOMIC_ACQ_REL) == 0)
    let_all_go(vcpu, sense);
  else if (__atomic_load_n(&barrier.sense, __ATOMIC_ACQUIRE) != sense)
    record_spins(vcpu, relax_until_equal(&barrier.sense, sense, vcpu->relax));
  record_wait(vcpu, rdtsc() - start);
}

/* `stop` of a round is read before the next one, which needs this vCPU, can change it. */
void barrier_run(struct vcpu* vcpu) {
  uint32_t sense = 0;

  do {
    busy_wait(next_think(vcpu));
    sense = !sense;
    cross(vcpu, sense);
  } while (!barrier.stop);
}
