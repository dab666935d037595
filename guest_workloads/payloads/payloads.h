/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest_workloads/rt/rt.h"

/* The entry points that table.c lists; one file per payload. */
void token_ring_run(struct vcpu* vcpu);
void tas_run(struct vcpu* vcpu);
void ttas_run(struct vcpu* vcpu);
void ticket_run(struct vcpu* vcpu);
void mcs_run(struct vcpu* vcpu);
void qspinlock_run(struct vcpu* vcpu);
void holder_preempted_run(struct vcpu* vcpu);
void barrier_prepare(struct vcpu* vcpu);
void barrier_run(struct vcpu* vcpu);
void ipi_shootdown_prepare(struct vcpu* vcpu);
void ipi_shootdown_run(struct vcpu* vcpu);
void ipi_shootdown_finish(struct vcpu* vcpu);
void idle_prepare(struct vcpu* vcpu);
void idle_run(struct vcpu* vcpu);
void pause_storm_prepare(struct vcpu* vcpu);
void pause_storm_run(struct vcpu* vcpu);
void pause_loop_run(struct vcpu* vcpu);
void relax_cost_run(struct vcpu* vcpu);
void wait_loop_run(struct vcpu* vcpu);
void user_pause_loop_prepare(struct vcpu* vcpu);
void user_pause_loop_run(struct vcpu* vcpu);

/* The lock of ttas and holder_preempted. */
uint64_t ttas_acquire(const struct vcpu* vcpu);
void ttas_release(const struct vcpu* vcpu);

/* `turns` of the loop of pause_loop, in this shape; 0: as tightly as possible. */
void pause_loop_turns(uint64_t turns, const struct relax_shape* shape);

/* What payloads put into plectl_vcpu_result.extra. */
enum holder_preempted_extra { HOLDER_PREEMPTED_LONG_HOLDS, HOLDER_PREEMPTED_LONGEST_HOLD };
enum qspinlock_extra {
  QSPINLOCK_UNCONTENDED,
  QSPINLOCK_PENDING,
  QSPINLOCK_QUEUED,
  QSPINLOCK_NODE_TRYLOCKS,
  QSPINLOCK_HANDOVER_WAITS,
};
enum barrier_extra { BARRIER_LAST_ARRIVALS };
enum ipi_shootdown_extra { IPI_SHOOTDOWN_SERVED, IPI_SHOOTDOWN_INTERRUPTS };
enum relax_cost_extra { RELAX_COST_ROW, RELAX_COST_WAIT_LOOP, RELAX_COST_PAUSE_LOOP };
enum pause_storm_extra {
  PAUSE_STORM_INTERVAL,
  PAUSE_STORM_RUNS,
  PAUSE_STORM_LONGEST_RUN,
  PAUSE_STORM_FULL_RUNS,
  PAUSE_STORM_FULL_RUNS_CYCLES,
};
