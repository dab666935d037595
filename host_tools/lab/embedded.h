// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace plectl::lab {

// Files that are part of this program.

// The shared library of shim/display_socket.c.
std::string_view EmbeddedDisplayShim();
// cpu_profiles.yaml.
std::string_view EmbeddedCpuProfiles();

}  // namespace plectl::lab
