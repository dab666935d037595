// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace plectl::host {

// "yes" or "no": whether the sched_ext scheduler `name`, which runs now, has an operation `yield`.
// Without one yield_to() refuses each directed yield under it. Asked of the BPF map that holds its
// operations, which needs CAP_SYS_ADMIN; else "unknown: ...".
std::string SchedExtHasYield(const std::string& name);

}  // namespace plectl::host
