/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What TLB shootdowns and smp_call_function() do: interrupt all other vCPUs and spin until each has
 * acknowledged. Every vCPU does that, and serves the others in between and while it spins, so no
 * two can wait for each other for ever. A preempted vCPU acknowledges when it runs again.
 */
#include "guest_workloads/payloads/payloads.h"
#include "guest_workloads/rt/lapic.h"
#include "guest_workloads/rt/measure.h"
#include "guest_workloads/rt/relax.h"

#define VECTOR 0x40

/* What a sender asks for. Interrupts that arrive together come as one, so requests are counted. */
struct request {
  volatile uint32_t number;
  volatile uint32_t missing; /* acknowledgements */
} __attribute__((aligned(64)));

static struct request requests[PLECTL_MAX_VCPUS];
/* Of each receiver: the number of each sender's last request that it has seen. */
static uint32_t seen[PLECTL_MAX_VCPUS][PLECTL_MAX_VCPUS];
static volatile uint32_t finished; /* vCPUs */

static void serve(uint32_t receiver, uint32_t sender) {
  const uint32_t number = __atomic_load_n(&requests[sender].number, __ATOMIC_ACQUIRE);

  if (number == seen[receiver][sender]) return;
  seen[receiver][sender] = number;
  result_block.vcpus[receiver].extra[IPI_SHOOTDOWN_SERVED]++;
  __atomic_fetch_sub(&requests[sender].missing, 1, __ATOMIC_RELEASE);
}

static void serve_all(void) {
  const uint32_t receiver = current_vcpu();

  /* Before looking: what comes later raises the interrupt anew. */
  lapic_end_interrupt();
  result_block.vcpus[receiver].extra[IPI_SHOOTDOWN_INTERRUPTS]++;
  for (uint32_t sender = 0; sender < boot_block.vcpus; sender++)
    if (sender != receiver) serve(receiver, sender);
}

void ipi_shootdown_prepare(struct vcpu* vcpu) {
  (void)vcpu;
  interrupts_handle(VECTOR, serve_all);
  lapic_enable();
}

static void shoot_down(struct vcpu* vcpu) {
  struct request* mine = &requests[vcpu->id];
  const uint64_t start = rdtsc();

  mine->missing = vcpu->vcpus - 1;
  __atomic_store_n(&mine->number, mine->number + 1, __ATOMIC_RELEASE);
  lapic_interrupt_others(VECTOR);
  if (__atomic_load_n(&mine->missing, __ATOMIC_ACQUIRE) != 0)
    record_spins(vcpu, relax_until_equal(&mine->missing, 0, vcpu->relax));
  record_wait(vcpu, rdtsc() - start);
}

void ipi_shootdown_run(struct vcpu* vcpu) {
  do {
    busy_wait(next_think(vcpu));
    shoot_down(vcpu);
  } while (work_left(vcpu));
}

/* The others may still need this vCPU. The last one wakes all. */
void ipi_shootdown_finish(struct vcpu* vcpu) {
  if (__atomic_add_fetch(&finished, 1, __ATOMIC_ACQ_REL) == vcpu->vcpus) {
    lapic_interrupt_others(VECTOR);
    return;
  }
  disable_interrupts();
  while (finished != vcpu->vcpus) halt_until_interrupt();
  enable_interrupts();
}
