/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/payloads/payloads.h"

#define WAIT_LOOP (PLECTL_PAYLOAD_BODY_LOOPS | PLECTL_PAYLOAD_RELAX_REPEAT)
#define ROUNDS (PLECTL_PAYLOAD_ROUNDS | PLECTL_PAYLOAD_THINKS | PLECTL_PAYLOAD_DURATION)
#define LOCK \
  (PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_INTERRUPTS_OFF | PLECTL_PAYLOAD_HOLDS | WAIT_LOOP | ROUNDS)
#define SPINNER (PLECTL_PAYLOAD_SPINNER | PLECTL_PAYLOAD_BODY_LOOPS)

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {.name = "token_ring", .min_vcpus = 2, .flags = LOCK, .run = token_ring_run},
    {.name = "tas", .min_vcpus = 2, .flags = LOCK, .run = tas_run},
    {.name = "ttas", .min_vcpus = 2, .flags = LOCK, .run = ttas_run},
    {.name = "ticket", .min_vcpus = 2, .flags = LOCK, .run = ticket_run},
    {.name = "mcs", .min_vcpus = 2, .flags = LOCK, .run = mcs_run},
    {
        .name = "qspinlock",
        .min_vcpus = 2,
        .flags = LOCK,
        .extra_names =
            {
                [QSPINLOCK_UNCONTENDED] = "uncontended",
                [QSPINLOCK_PENDING] = "pending",
                [QSPINLOCK_QUEUED] = "queued",
                [QSPINLOCK_NODE_TRYLOCKS] = "node_trylocks",
                [QSPINLOCK_HANDOVER_WAITS] = "handover_waits",
            },
        .run = qspinlock_run,
    },
    {
        .name = "holder_preempted",
        .min_vcpus = 2,
        .flags = LOCK | PLECTL_PAYLOAD_RANDOM,
        .extra_names =
            {
                [HOLDER_PREEMPTED_LONG_HOLDS] = "long_holds",
                [HOLDER_PREEMPTED_LONGEST_HOLD] = "longest_hold_tsc_cycles",
            },
        .run = holder_preempted_run,
    },
    {
        .name = "barrier",
        .min_vcpus = 2,
        .flags = ROUNDS | WAIT_LOOP,
        .extra_names = {[BARRIER_LAST_ARRIVALS] = "last_arrivals"},
        .prepare = barrier_prepare,
        .run = barrier_run,
    },
    {
        .name = "ipi_shootdown",
        .min_vcpus = 2,
        .flags = ROUNDS | WAIT_LOOP,
        .extra_names =
            {
                [IPI_SHOOTDOWN_SERVED] = "requests_served",
                [IPI_SHOOTDOWN_INTERRUPTS] = "interrupts",
            },
        .prepare = ipi_shootdown_prepare,
        .run = ipi_shootdown_run,
        .finish = ipi_shootdown_finish,
    },
    {.name = "idle", .min_vcpus = 1, .flags = ROUNDS, .prepare = idle_prepare, .run = idle_run},
    {
        .name = "pause_storm",
        .min_vcpus = 1,
        .flags = SPINNER | PLECTL_PAYLOAD_INTERRUPTS_OFF,
        .extra_names =
            {
                [PAUSE_STORM_INTERVAL] = "pause_interval_tsc_cycles",
                [PAUSE_STORM_RUNS] = "runs",
                [PAUSE_STORM_LONGEST_RUN] = "longest_run_tsc_cycles",
                [PAUSE_STORM_FULL_RUNS] = "full_runs",
                [PAUSE_STORM_FULL_RUNS_CYCLES] = "full_runs_tsc_cycles",
            },
        .prepare = pause_storm_prepare,
        .run = pause_storm_run,
    },
    {
        .name = "pause_loop",
        .min_vcpus = 1,
        .flags = SPINNER | PLECTL_PAYLOAD_INTERRUPTS_OFF,
        .run = pause_loop_run,
    },
    {.name = "wait_loop", .min_vcpus = 1, .flags = SPINNER, .run = wait_loop_run},
    {
        .name = "relax_cost",
        .min_vcpus = 1,
        .flags = SPINNER,
        .extra_names =
            {
                [RELAX_COST_ROW] = "relax_milli_tsc_cycles",
                [RELAX_COST_WAIT_LOOP] = "wait_loop_milli_tsc_cycles",
                [RELAX_COST_PAUSE_LOOP] = "pause_loop_milli_tsc_cycles",
            },
        .run = relax_cost_run,
    },
    {
        .name = "user_pause_loop",
        .min_vcpus = 1,
        .flags = SPINNER,
        .prepare = user_pause_loop_prepare,
        .run = user_pause_loop_run,
    },
};
