// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "guest_workloads/abi/abi.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::guests {

// What the guest is told of a request that was checked (workload_check.h); `payload` is the index
// of its payload in the ELF's table, `first_vcpu` the number of this VM's first vCPU.
plectl_boot_block BootBlockOf(const GuestRequest& request, uint32_t payload, uint32_t first_vcpu);

}  // namespace plectl::guests
