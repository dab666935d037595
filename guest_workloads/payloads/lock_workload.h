/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "guest_workloads/rt/rt.h"

/* A lock under test. acquire() returns the relax instructions that it executed. */
struct lock_operations {
  uint64_t (*acquire)(const struct vcpu* vcpu);
  void (*release)(const struct vcpu* vcpu);
  /* How long to hold the next time; 0: as the boot block says. */
  uint64_t (*hold)(struct vcpu* vcpu);
  /* Whether to go on, for locks whose vCPUs must all stop in the same round; 0: by work_left(). */
  int (*more)(const struct vcpu* vcpu);
};

/*
 * What every lock payload does: acquire, count in the critical section, hold, release, think; and
 * the measuring around it. Ends the guest when two vCPUs are ever inside at once.
 */
void lock_workload_run(struct vcpu* vcpu, const struct lock_operations* lock);
