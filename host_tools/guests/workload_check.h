// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::guests {

// The names of the payloads, in their order. They live as long as the image.
std::vector<std::string_view> PayloadNames(const PayloadImage& image);

// Whether the image can run `workload` on some host: BadInput that names the field, its value and
// what is allowed. Needs no KVM. Returns the index of the workload's payload in image.payloads().
Result<uint32_t> CheckWorkload(const PayloadImage& image, const Workload& workload);

// BadInput unless `cycles` is a value for GuestRequest::relax_tsc_cycles.
Status CheckRelaxTscCycles(uint64_t cycles);

}  // namespace plectl::guests
