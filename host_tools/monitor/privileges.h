// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::monitor {

// Keeps of this thread's capabilities (CAP_...) only `wanted`, as far as it has them, for good:
// also what a program that it starts could gain is given up (bounding set, no_new_privs). To be
// called before other threads are started: they inherit it.
Status KeepOnlyCapabilities(const std::vector<int>& wanted);

// For a process of root's: from now on it is nobody's, in all threads. This thread keeps of its
// capabilities only `wanted`, all others keep none. Needs CAP_SETUID and CAP_SETGID in each thread.
Status BecomeNobody(const std::vector<int>& wanted);

// The effective capabilities of this thread, one bit each.
Result<uint64_t> EffectiveCapabilities();

}  // namespace plectl::monitor
