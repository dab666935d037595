// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::guests {

// The payloads of the embedded ELF, in its order. The names live as long as the program.
std::vector<std::string_view> PayloadNames();

// Whether the embedded ELF can run `workload` on some host: BadInput that names the field, its
// value and what is allowed. Needs no KVM.
Status CheckWorkload(const Workload& workload);

// The same for another ELF. Returns the index of the workload's payload in image.payloads().
Result<uint32_t> CheckWorkloadFor(const PayloadImage& image, const Workload& workload);

}  // namespace plectl::guests
