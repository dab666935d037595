// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "guest_workloads/abi/abi.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::guests {

// The guest's part of each vCPU's result, from a copy of its result block. The guest is not
// trusted: an Inconclusive error names the first field that makes no sense and its value. A pure
// function.
Result<std::vector<VcpuResult>> CheckResultBlock(const plectl_result_block& block,
                                                 const PayloadInfo& payload,
                                                 const Workload& workload);

}  // namespace plectl::guests
