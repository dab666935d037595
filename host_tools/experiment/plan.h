// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"
#include "host_tools/host/module_params.h"

namespace plectl::experiment {

// One side of a comparison at a point.
enum class Arm {
  kPause,               // the guest relaxes by PAUSE
  kNop,                 // by two NOPs: no PAUSE exit is possible
  kPauseExitsDisabled,  // by PAUSE, in a VM without PAUSE exits (KVM_CAP_X86_DISABLE_EXITS)
};
inline constexpr std::array kArms = {Arm::kPause, Arm::kNop, Arm::kPauseExitsDisabled};
std::string_view ArmName(Arm arm);
std::optional<Arm> ArmFromName(std::string_view name);

// lab::CheckLabOptions() accepts no larger seed.
inline constexpr uint64_t kLabSeedMax = 400'000'000;

// A validated plan: what to sweep (docs/plan_format.md).
struct Plan {
  std::string name;
  uint64_t seed = 1;
  uint32_t blocks = 1;
  uint64_t deadline_ms = 10'000;  // of one trial's guest
  std::vector<Arm> arms;
  // Each makes one replicate of the whole plan, in a lab of its own; empty: the plan names none.
  std::vector<uint64_t> lab_seeds;
  // The sets of values under `params`, in plan order; one empty set when there are none. Each has
  // an effect of its own unless the plan has `equal_settings: keep`.
  std::vector<host::ParamValues> param_sets;
  // What the plan has besides, with the effect of one of `param_sets`: not run.
  std::vector<host::ParamValues> equal_sets;
  // The product of the values of each entry of `workloads`, in plan order.
  std::vector<guests::Workload> workloads;
  uint64_t trials = 0;         // how many it makes, of all its lab_seeds
  std::string text;            // the file as read
  std::string sha256;          // of `text`
  std::string payload_sha256;  // of the guest that it was checked against
};

// Parses and validates. Every error has "FILE:LINE:COLUMN: " and says what is allowed; an unknown
// key gets a suggestion. Values the kernel would mangle are refused (host::CheckPleValues), as are
// workloads that `payloads` cannot run.
Result<Plan> ParsePlan(std::string_view text, std::string_view file_name,
                       const guests::PayloadImage& payloads);
Result<Plan> LoadPlan(const std::filesystem::path& path, const guests::PayloadImage& payloads);

// Leaves one replicate of `plan`, its trials and their ids as they were. BadInput when the plan
// does not have this seed.
Status KeepOnlyLabSeed(uint64_t lab_seed, Plan& plan);

}  // namespace plectl::experiment
