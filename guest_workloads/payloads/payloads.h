/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest_workloads/rt/rt.h"

/* The entry points that table.c lists; one file per payload. */
void token_ring_run(struct vcpu* vcpu);
void ttas_run(struct vcpu* vcpu);
void ticket_run(struct vcpu* vcpu);
void pause_storm_run(struct vcpu* vcpu);
void pause_loop_run(struct vcpu* vcpu);
void user_pause_loop_prepare(struct vcpu* vcpu);
void user_pause_loop_run(struct vcpu* vcpu);

/* What pause_storm puts into plectl_vcpu_result.extra. */
enum pause_storm_extra {
  PAUSE_STORM_INTERVAL,
  PAUSE_STORM_RUNS,
  PAUSE_STORM_LONGEST_RUN,
  PAUSE_STORM_FULL_RUNS,
  PAUSE_STORM_FULL_RUNS_CYCLES,
};
