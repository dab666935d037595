// SPDX-License-Identifier: Apache-2.0
// No text makes the reader of CPU profiles crash, and what it accepts keeps its contract.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "host_tools/lab/cpu_profile.h"

namespace {

bool IsSound(const plectl::lab::CpuProfile& profile) {
  return !profile.name.empty() && !profile.figure.empty() && !profile.source.empty() &&
         profile.pause_tsc_cycles >= 4 && profile.pause_tsc_cycles <= 1024;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plectl::lab;  // NOLINT(google-build-using-namespace)
  const auto profiles = ParseCpuProfiles({reinterpret_cast<const char*>(data), size});
  if (!profiles) {
    if (profiles.error().message.empty()) std::abort();
    return 0;
  }
  std::set<std::string> names;
  for (const CpuProfile& profile : *profiles) {
    if (!IsSound(profile) || !names.insert(profile.name).second) std::abort();
  }
  return 0;
}
