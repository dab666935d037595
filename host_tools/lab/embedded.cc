// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/embedded.h"

// From embedded_files.S.
extern "C" const char plectl_display_shim_begin[];
extern "C" const char plectl_display_shim_end[];
extern "C" const char plectl_cpu_profiles_begin[];
extern "C" const char plectl_cpu_profiles_end[];

namespace plectl::lab {

std::string_view EmbeddedDisplayShim() {
  return {plectl_display_shim_begin, plectl_display_shim_end};
}

std::string_view EmbeddedCpuProfiles() {
  return {plectl_cpu_profiles_begin, plectl_cpu_profiles_end};
}

}  // namespace plectl::lab
