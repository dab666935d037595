// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace plectl::lab {

// The shared library of shim/loopback.c, which is part of this program.
std::string_view LoopbackShim();

}  // namespace plectl::lab
