// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "host_tools/guests/guest_runner.h"

namespace plectl::guests {

// Draws when a guest starts relative to the host's timer, and its vCPUs relative to each other. The
// kernel's timer locks what comes before a trial to its ticks (a reload, a tracer that is
// attached), so without a draw every trial would begin in the same phase: a repeat would repeat the
// phase, not measure anew. Equal seeds and workloads give equal phases. The wait is evenly
// distributed over some ticks. Where vCPUs share a CPU, each thread also spins for up to a slice
// before it enters the guest; where they do not, none may lag behind, since short trials would have
// no contention then.
StartPhase DrawStartPhase(uint64_t seed, const Workload& workload);

// Uses up so much of the calling thread's CPU time.
void SpinFor(std::chrono::nanoseconds cpu_time);

}  // namespace plectl::guests
