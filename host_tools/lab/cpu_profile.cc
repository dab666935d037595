// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/cpu_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host_tools/experiment/plan_values.h"
#include "host_tools/experiment/yaml_tree.h"
#include "host_tools/lab/embedded.h"

namespace plectl::lab {
namespace {

using experiment::FailAt;
using experiment::YamlKind;
using experiment::YamlNode;

constexpr std::array<std::string_view, 5> kKeys = {"name", "vendor", "pause_tsc_cycles", "figure",
                                                   "source"};
constexpr std::array<std::string_view, 2> kVendors = {"intel", "amd"};
constexpr experiment::UintRange kPauseRange{4, 1024};

Result<CpuProfile> ReadProfile(const YamlNode& node) {
  PLECTL_RETURN_IF_ERROR(experiment::CheckMap(node, "a profile", kKeys));
  for (const std::string_view key : kKeys) {
    if (node.Find(key) == nullptr) {
      return FailAt(node.place, fmt::format("a profile needs the key \"{}\"", key));
    }
  }
  CpuProfile profile;
  PLECTL_ASSIGN_OR_RETURN(profile.name, experiment::ReadWord(*node.Find("name"), "name"));
  PLECTL_ASSIGN_OR_RETURN(const std::string vendor,
                          experiment::ReadOneOf(*node.Find("vendor"), "vendor", kVendors));
  profile.vendor = vendor == LabCpuName(LabCpu::kAmd) ? LabCpu::kAmd : LabCpu::kIntel;
  PLECTL_ASSIGN_OR_RETURN(
      profile.pause_tsc_cycles,
      experiment::ReadUint(*node.Find("pause_tsc_cycles"), "pause_tsc_cycles", kPauseRange));
  PLECTL_ASSIGN_OR_RETURN(profile.figure, experiment::ReadWord(*node.Find("figure"), "figure"));
  PLECTL_ASSIGN_OR_RETURN(profile.source, experiment::ReadWord(*node.Find("source"), "source"));
  return profile;
}

}  // namespace

std::string_view LabCpuName(LabCpu cpu) { return cpu == LabCpu::kIntel ? "intel" : "amd"; }

Result<std::vector<CpuProfile>> ParseCpuProfiles(std::string_view yaml) {
  constexpr std::array<std::string_view, 1> kRootKeys = {"profiles"};
  PLECTL_ASSIGN_OR_RETURN(const YamlNode root, experiment::ParseYaml(yaml));
  PLECTL_RETURN_IF_ERROR(experiment::CheckMap(root, "the file", kRootKeys));
  const YamlNode* list = root.Find("profiles");
  if (list == nullptr || list->kind != YamlKind::kList) {
    return FailAt(root.place, "expected a list under the key \"profiles\"");
  }
  std::vector<CpuProfile> profiles;
  for (const YamlNode& node : list->values) {
    PLECTL_ASSIGN_OR_RETURN(CpuProfile profile, ReadProfile(node));
    if (std::ranges::find(profiles, profile.name, &CpuProfile::name) != profiles.end()) {
      return FailAt(node.place, fmt::format("there are two profiles {}", profile.name));
    }
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

Result<std::vector<CpuProfile>> BuiltInCpuProfiles() {
  return ParseCpuProfiles(EmbeddedCpuProfiles());
}

}  // namespace plectl::lab
