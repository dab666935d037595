/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "guest_workloads/abi/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The guest's payloads as threads of ring 3, on the CPU that the tests run on: what they assume of
 * a CPU can be tried where there is no KVM. */

struct ring3_request {
  const char* payload;
  uint32_t vcpus;
  uint32_t cpus; /* vCPU i runs on the (i % cpus)-th CPU that this process may use */
  uint64_t iterations;
  uint64_t duration_tsc_cycles;
  uint64_t hold_tsc_cycles;
  uint64_t body_loops;
  uint32_t relax_repeat; /* 0: 1 */
  uint32_t nop;          /* not 0: the nop arm */
  /* TSC cycles of the guest's clock per cycle of the real one: below 1 as if the core were that
   * much faster. After `calls` looks at the clock (0: never) it is the second. 0: 1. */
  double clock_rate;
  double clock_rate_then;
  uint64_t calls;
};

struct ring3_result {
  struct plectl_result_block block;
  struct plectl_wait_histogram histograms[PLECTL_MAX_VCPUS];
};

/* In a process of its own, so that each run finds the payload's variables as in a fresh guest.
 * Returns 0, or what it failed with: a PLECTL_ABORT_* code, or -1. */
int ring3_run(const struct ring3_request* request, struct ring3_result* result);

/* How often, in `pairs` of stamps of one CPU, the second was below the first. */
uint64_t ring3_stamps_gone_back(uint64_t pairs);

#ifdef __cplusplus
}
#endif
