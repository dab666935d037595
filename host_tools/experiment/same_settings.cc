// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/same_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/experiment/lab_host.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;

constexpr std::string_view kModuleParams = "/module/params";
// Pointers into the fingerprint (host/fingerprint.h): texts, or objects of texts.
constexpr std::array<std::string_view, 9> kSections = {
    kModuleParams, "/kvm_params",  "/mitigations", "/smt",     "/governor",
    "/no_turbo",   "/clocksource", "/cpus_online", "/settings"};
constexpr std::string_view kCommandLine = "/settings/command_line";

// Names in the manifest's plan: what the run itself changes. Nothing in a log of an older plectl.
const json* SweptParams(const Manifest& manifest) {
  const auto found = manifest.plan.find("params");
  return found != manifest.plan.end() && found->is_array() ? &*found : nullptr;
}

bool IsCompared(const std::string& pointer, const Manifest& now) {
  // A lab that was resumed has other arguments than one that was booted; it says what counts.
  if (pointer == kCommandLine) return !IsLab(now.host);
  if (!pointer.starts_with(kModuleParams)) return true;
  const json* swept = SweptParams(now);
  const std::string name = pointer.substr(pointer.rfind('/') + 1);
  return swept != nullptr && std::ranges::find(*swept, json(name)) == swept->end();
}

// Every text below `section`, by its pointer.
json TextsBelow(const json& host, std::string_view section) {
  const json::json_pointer place{std::string(section)};
  if (!host.contains(place)) return json::object();
  json texts = json::object();
  const json& value = host.at(place);
  if (!value.is_structured()) {
    texts[std::string(section)] = value;
    return texts;
  }
  for (const auto& [key, item] : value.items()) {
    const bool is_known = !item.is_structured() && key != "missing_because";
    if (is_known) texts[fmt::format("{}/{}", section, key)] = item;
  }
  return texts;
}

}  // namespace

Status CheckSameSettings(const Manifest& before, const Manifest& now) {
  for (const std::string_view section : kSections) {
    const json was = TextsBelow(before.host, section);
    const json is = TextsBelow(now.host, section);
    for (const auto& [pointer, value] : was.items()) {
      if (!is.contains(pointer) || is[pointer] == value || !IsCompared(pointer, now)) continue;
      return BadInput(
          fmt::format("the run was started under other settings of this host: {} was {}, here it "
                      "is {}",
                      pointer.substr(1), value.dump(), is[pointer].dump()),
          "set it back, or give another --out directory: a run has one setting of its host");
    }
  }
  return OkStatus();
}

}  // namespace plectl::experiment
