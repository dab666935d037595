// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/host_identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "host_tools/experiment/lab_host.h"

namespace plectl::experiment {
namespace {

constexpr const char* kLab = "/lab";
// What an older log does not say.
constexpr std::string_view kUnknown = "unknown";
// Pointers into the fingerprint (host/fingerprint.h).
constexpr std::array kIdentity = {
    "/cpu/vendor",    "/cpu/family",     "/cpu/model",    "/cpu/model_name", "/cpu/stepping",
    "/cpu/microcode", "/kernel/release", "/kernel/build", "/module/name",    kLab};

// What changes what a directed yield does, by itself or by a setting. Older manifests have it not,
// and some hosts cannot tell: then there is nothing to compare.
constexpr std::array kScheduler = {"/scheduler/forfeits_on_yield", "/scheduler/hrtick",
                                   "/scheduler/flat_pick",         "/scheduler/sched_ext",
                                   "/scheduler/sched_ext_yields",  "/scheduler/core_scheduling",
                                   "/scheduler/preemption",        "/scheduler/base_slice_ns"};

bool IsKnown(const nlohmann::json& host, const char* pointer) {
  const nlohmann::json::json_pointer place(pointer);
  if (!host.contains(place)) return false;
  const nlohmann::json& value = host.at(place);
  if (value.is_string()) return !value.get_ref<const std::string&>().starts_with("unknown");
  return value.is_number();
}

// Empty, or what is known to differ.
std::string SchedulerDifference(const nlohmann::json& before, const nlohmann::json& now) {
  for (const char* pointer : kScheduler) {
    if (!IsKnown(before, pointer) || !IsKnown(now, pointer)) continue;
    const nlohmann::json::json_pointer place(pointer);
    if (before.at(place) == now.at(place)) continue;
    return fmt::format("{} was {}, here it is {}", pointer + 1, before.at(place).dump(),
                       now.at(place).dump());
  }
  return {};
}

std::string TextAt(const nlohmann::json& host, const char* pointer, LabSeedRule lab_seed) {
  if (std::string_view(pointer) == kLab) {
    if (!IsLab(host)) return "no lab";
    const bool seed_may_differ = lab_seed == LabSeedRule::kMayDiffer;
    return (seed_may_differ ? LabWithoutSeed(host) : LabWithSeed(host)).dump();
  }
  const nlohmann::json::json_pointer place(pointer);
  return host.contains(place) ? host.at(place).dump() : std::string(kUnknown);
}

}  // namespace

Status CheckSameHost(const Manifest& before, const Manifest& now, LabSeedRule lab_seed) {
  const char* const hint = "give another --out directory: a run belongs to one host";
  for (const char* pointer : kIdentity) {
    const std::string was = TextAt(before.host, pointer, lab_seed);
    const std::string is = TextAt(now.host, pointer, lab_seed);
    if (was == kUnknown || is == kUnknown) continue;
    if (was != is) {
      return BadInput(fmt::format("the run was started on another host: {} was {}, here it is {}",
                                  pointer + 1, was, is),
                      hint);
    }
  }
  if (const std::string difference = SchedulerDifference(before.host, now.host);
      !difference.empty()) {
    return BadInput(
        fmt::format("the run was started under another scheduler, which changes what PAUSE exits "
                    "do: {}",
                    difference),
        hint);
  }
  if (before.observers != now.observers) {
    return BadInput(
        fmt::format("the run was started with the observers {}, this session has {}",
                    fmt::join(before.observers, " and "), fmt::join(now.observers, " and ")),
        "give another --out directory: observers change what they watch");
  }
  return OkStatus();
}

Status CheckSameHost(const Manifest& before, const nlohmann::json& host, LabSeedRule lab_seed) {
  Manifest now;
  now.host = host;
  now.observers = before.observers;
  if (IsLab(host) && IsLab(before.host) && before.host.at("lab").is_object()) {
    nlohmann::json lab = before.host.at("lab");
    for (const auto& [key, value] : host.at("lab").items()) {
      // A null is what this lab does not have; it says so for some keys, and leaves others out.
      if (!value.is_null() || lab.contains(key)) lab[key] = value;
    }
    now.host["lab"] = std::move(lab);
  }
  return CheckSameHost(before, now, lab_seed);
}

}  // namespace plectl::experiment
