// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "guest_workloads/abi/abi.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::guests {

// The guest's part of each vCPU's result, from copies of its result block and of one histogram per
// vCPU. The guest is not trusted: an Inconclusive error names the first field that makes no sense
// and its value. A pure function.
Result<std::vector<VcpuResult>> CheckResultBlock(const plectl_result_block& block,
                                                 std::span<const plectl_wait_histogram> histograms,
                                                 const PayloadInfo& payload,
                                                 const Workload& workload);

}  // namespace plectl::guests
