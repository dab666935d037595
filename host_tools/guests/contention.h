// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host_tools/guests/guest_runner.h"

namespace plectl::guests {

// Of the vCPUs of one VM that do rounds.
Contention ContentionOf(std::span<const VcpuResult> vcpus);

// All VMs of a trial as one: the least overlap, all rounds. `vms` is not empty.
Contention ContentionOfAll(std::span<const Contention> vms);

// Below these the vCPUs of a VM had next to nothing to do with each other, as when each was done
// within its first time slice: docs/guest.md.
inline constexpr double kOverlapMin = 0.1;
inline constexpr uint64_t kContendedPerVcpuMin = 1;

// Why a payload of `vcpus` vCPUs that needs contention had none; empty when it had.
std::string WhyNotContended(const Contention& contention, uint32_t vcpus);

}  // namespace plectl::guests
