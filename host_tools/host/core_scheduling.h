// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "host_tools/base/result.h"

namespace plectl::host {

// The cookie of core scheduling of a thread, 0 for this one; 0 where it has none, where the kernel
// has no core scheduling, or the CPU one thread per core. A thread shares its core only with
// threads of the same cookie, whomever KVM boosts.
Result<uint64_t> CoreCookieOf(pid_t thread);

}  // namespace plectl::host
