/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_workloads/payloads/payloads.h"

static const struct plectl_payload payload_table[] PAYLOAD_TABLE = {
    {
        .name = "token_ring",
        .min_vcpus = 2,
        .flags = PLECTL_PAYLOAD_LOCK,
        .run = token_ring_run,
    },
    {
        .name = "ttas",
        .min_vcpus = 2,
        .flags = PLECTL_PAYLOAD_LOCK,
        .run = ttas_run,
    },
    {
        .name = "ticket",
        .min_vcpus = 2,
        .flags = PLECTL_PAYLOAD_LOCK,
        .run = ticket_run,
    },
    {
        .name = "pause_storm",
        .min_vcpus = 1,
        .flags = PLECTL_PAYLOAD_SPINNER,
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
};
