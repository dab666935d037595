// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>

#include "host_tools/base/result.h"

namespace plectl::monitor {

// Keeps of this thread's capabilities (CAP_...) only `wanted`, as far as it has them, for good:
// also what a program that it starts could gain is given up (bounding set, no_new_privs). To be
// called before other threads are started: they inherit it.
Status KeepOnlyCapabilities(std::initializer_list<int> wanted);

// The effective capabilities of this thread, one bit each.
Result<uint64_t> EffectiveCapabilities();

}  // namespace plectl::monitor
