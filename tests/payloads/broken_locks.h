/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guest_workloads/rt/rt.h"

/* Locks with an ordinary mistake each. The guest's own check must find what they let through. */

/* Sees that the lock is free, and then takes it, not at once. */
void check_then_set_run(struct vcpu* vcpu);
/* A ticket lock that calls the next ticket when the lock is taken, not when it is left. */
void early_release_run(struct vcpu* vcpu);
