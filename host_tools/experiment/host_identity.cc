// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/host_identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>
#include <string_view>

#include "host_tools/experiment/lab_host.h"

namespace plectl::experiment {
namespace {

constexpr const char* kLab = "/lab";
// Pointers into the fingerprint (host/fingerprint.h).
constexpr std::array kIdentity = {"/cpu/model_name",
                                  "/cpu/stepping",
                                  "/cpu/microcode",
                                  "/kernel/release",
                                  "/kernel/build",
                                  "/module/name",
                                  kLab};

std::string TextAt(const nlohmann::json& host, const char* pointer, LabSeedRule lab_seed) {
  if (std::string_view(pointer) == kLab && IsLab(host)) {
    const bool seed_may_differ = lab_seed == LabSeedRule::kMayDiffer;
    return (seed_may_differ ? LabWithoutSeed(host) : LabWithSeed(host)).dump();
  }
  const nlohmann::json::json_pointer place(pointer);
  return host.contains(place) ? host.at(place).dump() : "nothing";
}

}  // namespace

Status CheckSameHost(const Manifest& before, const Manifest& now, LabSeedRule lab_seed) {
  const char* const hint = "give another --out directory: a run belongs to one host";
  for (const char* pointer : kIdentity) {
    const std::string was = TextAt(before.host, pointer, lab_seed);
    const std::string is = TextAt(now.host, pointer, lab_seed);
    if (was != is) {
      return BadInput(fmt::format("the run was started on another host: {} was {}, here it is {}",
                                  pointer + 1, was, is),
                      hint);
    }
  }
  if (before.observers != now.observers) {
    return BadInput(
        fmt::format("the run was started with the observers {}, this session has {}",
                    fmt::join(before.observers, " and "), fmt::join(now.observers, " and ")),
        "give another --out directory: observers change what they watch");
  }
  return OkStatus();
}

}  // namespace plectl::experiment
