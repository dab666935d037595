// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "host_tools/base/given_file.h"
#include "host_tools/base/sha256.h"
#include "host_tools/experiment/equal_settings.h"
#include "host_tools/experiment/plan_params.h"
#include "host_tools/experiment/plan_product.h"
#include "host_tools/experiment/plan_values.h"
#include "host_tools/experiment/plan_workloads.h"
#include "host_tools/experiment/yaml_tree.h"

namespace plectl::experiment {
namespace {

constexpr std::array<std::string_view, 9> kKeys = {"name",      "seed",           "blocks",
                                                   "lab_seeds", "deadline_ms",    "arms",
                                                   "params",    "equal_settings", "workloads"};
constexpr std::array<std::string_view, 2> kEqualSettings = {"once", "keep"};
constexpr uint64_t kBlocksMax = 10'000;
constexpr uint64_t kDeadlineMaxMs = 3'600'000;
constexpr size_t kNameMax = 100;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Result<std::string> ReadName(const YamlNode& node) {
  PLECTL_ASSIGN_OR_RETURN(std::string name, ReadWord(node, "name"));
  if (name.size() <= kNameMax && std::ranges::all_of(name, IsNameCharacter)) return name;
  return FailAt(node.place,
                fmt::format("name: expected 1 to {} letters, digits, '.', '_' and '-'", kNameMax));
}

Result<std::vector<Arm>> ReadArms(const YamlNode& node) {
  std::array<std::string_view, kArms.size()> known;
  std::ranges::transform(kArms, known.begin(), ArmName);
  PLECTL_ASSIGN_OR_RETURN(const auto names, ReadWordAxis(node, "arms", known));
  std::vector<Arm> arms;
  for (const auto& name : names) arms.push_back(ArmFromName(name.value).value());
  return arms;
}

Result<std::vector<uint64_t>> ReadLabSeeds(const YamlNode& node) {
  PLECTL_ASSIGN_OR_RETURN(const auto values, ReadUintAxis(node, "lab_seeds", {0, kLabSeedMax}));
  std::vector<uint64_t> seeds;
  for (const auto& seed : values) seeds.push_back(seed.value);
  return seeds;
}

// Reads `key` into `target` when the plan has it; the default stays otherwise.
Status ReadOptionalUint(const YamlNode& root, std::string_view key, UintRange range,
                        uint64_t& target) {
  const YamlNode* node = root.Find(key);
  if (node == nullptr) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(target, ReadUint(*node, key, range));
  return OkStatus();
}

Status ReadNumbers(const YamlNode& root, Plan& plan) {
  uint64_t blocks = plan.blocks;
  PLECTL_RETURN_IF_ERROR(ReadOptionalUint(root, "blocks", {1, kBlocksMax}, blocks));
  plan.blocks = static_cast<uint32_t>(blocks);
  PLECTL_RETURN_IF_ERROR(ReadOptionalUint(root, "seed", {}, plan.seed));
  return ReadOptionalUint(root, "deadline_ms", {1, kDeadlineMaxMs}, plan.deadline_ms);
}

// Sets that differ only in what has no effect measure the same thing.
Status TakeEqualSets(const YamlNode& root, Plan& plan) {
  const YamlNode* node = root.Find("equal_settings");
  std::string what(kEqualSettings[0]);
  if (node != nullptr) {
    PLECTL_ASSIGN_OR_RETURN(what, ReadOneOf(*node, "equal_settings", kEqualSettings));
  }
  if (what == kEqualSettings[0]) plan.equal_sets = TakeEqualSettings(plan.param_sets);
  return OkStatus();
}

Status ReadAxes(const YamlNode& root, const guests::PayloadImage& payloads, Plan& plan) {
  plan.arms = {Arm::kPause, Arm::kNop};
  if (const YamlNode* arms = root.Find("arms")) {
    PLECTL_ASSIGN_OR_RETURN(plan.arms, ReadArms(*arms));
  }
  if (const YamlNode* lab_seeds = root.Find("lab_seeds")) {
    PLECTL_ASSIGN_OR_RETURN(plan.lab_seeds, ReadLabSeeds(*lab_seeds));
  }
  plan.param_sets = {host::ParamValues()};
  if (const YamlNode* params = root.Find("params")) {
    PLECTL_ASSIGN_OR_RETURN(plan.param_sets, ReadParamSets(*params));
  }
  PLECTL_RETURN_IF_ERROR(TakeEqualSets(root, plan));
  PLECTL_ASSIGN_OR_RETURN(plan.workloads, ReadWorkloads(*root.Find("workloads"), payloads));
  return OkStatus();
}

Status CountTrials(const YamlNode& root, Plan& plan) {
  const uint64_t replicates = std::max<uint64_t>(plan.lab_seeds.size(), 1);
  const std::array<uint64_t, 5> factors = {plan.blocks, plan.arms.size(), plan.param_sets.size(),
                                           plan.workloads.size(), replicates};
  if (const auto trials = BoundedProduct(factors, kTrialsMax)) {
    plan.trials = *trials;
    return OkStatus();
  }
  return FailAt(
      root.place,
      fmt::format("the plan makes more than {} trials: {} blocks, {} arms, {} parameter "
                  "sets, {} workloads{}",
                  kTrialsMax, factors[0], factors[1], factors[2], factors[3],
                  plan.lab_seeds.empty() ? "" : fmt::format(", {} lab seeds", replicates)),
      "split the plan, or use fewer values");
}

Result<Plan> ReadPlan(const YamlNode& root, const guests::PayloadImage& payloads) {
  PLECTL_RETURN_IF_ERROR(CheckMap(root, "the plan", kKeys));
  for (const std::string_view key : {"name", "workloads"}) {
    if (root.Find(key) == nullptr) {
      return FailAt(root.place, fmt::format("the plan needs the key \"{}\"", key));
    }
  }
  Plan plan;
  PLECTL_ASSIGN_OR_RETURN(plan.name, ReadName(*root.Find("name")));
  PLECTL_RETURN_IF_ERROR(ReadNumbers(root, plan));
  PLECTL_RETURN_IF_ERROR(ReadAxes(root, payloads, plan));
  PLECTL_RETURN_IF_ERROR(CountTrials(root, plan));
  return plan;
}

Result<Plan> ReadPlanText(std::string_view text, const guests::PayloadImage& payloads) {
  PLECTL_ASSIGN_OR_RETURN(const YamlNode root, ParseYaml(text));
  if (root.kind == YamlKind::kNull) {
    return FailAt({}, "the plan is empty", "plectl docs plan_format shows the smallest plan");
  }
  return ReadPlan(root, payloads);
}

}  // namespace

std::string_view ArmName(Arm arm) {
  switch (arm) {
    case Arm::kNop:
      return "nop";
    case Arm::kPauseExitsDisabled:
      return "pause_exits_disabled";
    case Arm::kPause:
      break;
  }
  return "pause";
}

std::optional<Arm> ArmFromName(std::string_view name) {
  const auto found = std::ranges::find(kArms, name, ArmName);
  if (found == kArms.end()) return std::nullopt;
  return *found;
}

Result<Plan> ParsePlan(std::string_view text, std::string_view file_name,
                       const guests::PayloadImage& payloads) {
  Result<Plan> plan = ReadPlanText(text, payloads);
  if (!plan) {
    Error error = plan.error();
    error.message = fmt::format("{}:{}", file_name, error.message);
    if (error.hint.empty()) error.hint = "plectl docs plan_format says how a plan is written";
    return Fail(std::move(error));
  }
  plan->text = text;
  plan->sha256 = Sha256Hex(text);
  plan->payload_sha256 = payloads.CommonSha256();
  return plan;
}

Result<Plan> LoadPlan(const std::filesystem::path& path, const guests::PayloadImage& payloads) {
  constexpr size_t kBytesMax = size_t{16} << 20;  // it may be a run log, or no file of text at all
  PLECTL_ASSIGN_OR_RETURN(const std::string text,
                          ReadGivenFile(path, kBytesMax, "give the path of a plan file"));
  return ParsePlan(text, path.string(), payloads);
}

Status KeepOnlyLabSeed(uint64_t lab_seed, Plan& plan) {
  if (std::ranges::find(plan.lab_seeds, lab_seed) == plan.lab_seeds.end()) {
    return BadInput(fmt::format("the plan {} has no lab seed {}", plan.name, lab_seed),
                    plan.lab_seeds.empty() ? "add the key lab_seeds to the plan"
                                           : "use one of the plan's lab_seeds");
  }
  plan.lab_seeds = {lab_seed};
  return OkStatus();
}

}  // namespace plectl::experiment
