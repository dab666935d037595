// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

// The vendor of the emulated CPU, and so the KVM module.
enum class LabCpu { kIntel, kAmd };
std::string_view LabCpuName(LabCpu cpu);

// What one PAUSE costs on a real CPU, and who says so. It stays a profile on an emulator.
struct CpuProfile {
  std::string name;  // "skylake-client"
  LabCpu vendor = LabCpu::kIntel;
  uint64_t pause_tsc_cycles = 0;  // 4 to 1024: what the guest can pad to
  std::string figure;             // the published figure, in words
  std::string source;
  friend bool operator==(const CpuProfile&, const CpuProfile&) = default;
};

// The profiles of a text like cpu_profiles.yaml; BadInput with LINE:COLUMN for anything else.
Result<std::vector<CpuProfile>> ParseCpuProfiles(std::string_view yaml);

// Those of this program's own cpu_profiles.yaml.
Result<std::vector<CpuProfile>> BuiltInCpuProfiles();

}  // namespace plectl::lab
