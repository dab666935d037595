// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/loopback_shim.h"

// From loopback_shim_so.S.
extern "C" const char plectl_loopback_shim_begin[];
extern "C" const char plectl_loopback_shim_end[];

namespace plectl::lab {

std::string_view LoopbackShim() { return {plectl_loopback_shim_begin, plectl_loopback_shim_end}; }

}  // namespace plectl::lab
