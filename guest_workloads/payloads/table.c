/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/payloads/payloads.h"

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {
        .name = "token_ring",
        .min_vcpus = 2,
        .flags = PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_INTERRUPTS_OFF,
        .run = token_ring_run,
    },
    {
        .name = "ttas",
        .min_vcpus = 2,
        .flags = PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_INTERRUPTS_OFF,
        .run = ttas_run,
    },
    {
        .name = "ticket",
        .min_vcpus = 2,
        .flags = PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_INTERRUPTS_OFF,
        .run = ticket_run,
    },
    {
        .name = "pause_storm",
        .min_vcpus = 1,
        .flags = PLECTL_PAYLOAD_SPINNER | PLECTL_PAYLOAD_INTERRUPTS_OFF,
        .extra_names =
            {
                [PAUSE_STORM_INTERVAL] = "pause_interval_tsc_cycles",
                [PAUSE_STORM_RUNS] = "runs",
                [PAUSE_STORM_LONGEST_RUN] = "longest_run_tsc_cycles",
                [PAUSE_STORM_FULL_RUNS] = "full_runs",
                [PAUSE_STORM_FULL_RUNS_CYCLES] = "full_runs_tsc_cycles",
            },
        .run = pause_storm_run,
    },
    {
        .name = "pause_loop",
        .min_vcpus = 1,
        .flags = PLECTL_PAYLOAD_SPINNER | PLECTL_PAYLOAD_INTERRUPTS_OFF,
        .run = pause_loop_run,
    },
    {
        .name = "user_pause_loop",
        .min_vcpus = 1,
        .flags = PLECTL_PAYLOAD_SPINNER,
        .prepare = user_pause_loop_prepare,
        .run = user_pause_loop_run,
    },
};
