/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "guest_workloads/rt/rt.h"

/* A lock under test. acquire() returns the relax instructions that it executed. */
struct lock_operations {
  uint64_t (*acquire)(const struct vcpu* vcpu);
  void (*release)(const struct vcpu* vcpu);
};

/*
 * What every lock payload does: `iterations` times acquire, count in the critical section, hold,
 * release, think; and the measuring around it.
 */
void lock_workload_run(struct vcpu* vcpu, const struct lock_operations* lock);
