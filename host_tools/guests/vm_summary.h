// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "host_tools/guests/guest_runner.h"

namespace plectl::guests {

// Jain's fairness index of the vCPUs' rates, each its acquisitions over its own time from start to
// end: 1 when all are equal, 1/n when one of n gets everything. Nothing when none got anything.
std::optional<double> FairnessJain(std::span<const VcpuResult> vcpus);

// Of the waits of all vCPUs together. Nothing when nothing waited.
std::optional<WaitSummary> SummarizeWaits(std::span<const VcpuResult> vcpus);

// `vcpus` is not empty. `counts_rounds`: work is acquisitions; else relax instructions.
VmResult SummarizeVm(std::span<const VcpuResult> vcpus, bool counts_rounds, uint64_t tsc_khz);

}  // namespace plectl::guests
