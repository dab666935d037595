// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/lab_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "host_tools/base/text.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;

// Of a key, or of a word "NAME=VALUE".
bool IsSeed(std::string_view name) {
  name = name.substr(0, name.find('='));
  return name == "time0" || name == "seed" || name.starts_with("seed_");
}

const json* Find(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// Null when the fingerprint is not the lab's. {"missing_because"} does not say that it is.
const json* LabOf(const json& host) {
  const json* lab = Find(host, "lab");
  if (lab == nullptr || lab->is_null() || Find(*lab, "missing_because") != nullptr) return nullptr;
  return lab;
}

// A text or a number as it is; empty for what does not fit into a line.
std::string PlainText(const json* value) {
  if (value == nullptr || value->is_null() || value->is_structured()) return {};
  return value->is_string() ? value->get<std::string>()
                            : value->dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string> WordsOfText(const std::string& lab) {
  std::vector<std::string> words;
  for (const std::string_view word : Split(lab, ',')) {
    if (!word.empty() && !IsSeed(word)) words.emplace_back(word);
  }
  return words;
}

// "profile skylake-client: one PAUSE costs 140 TSC cycles (source SDM)", as far as it is known.
std::string ProfileText(const json& profile) {
  if (!profile.is_object()) return fmt::format("profile {}", PlainText(&profile));
  std::string text = fmt::format("profile {}", PlainText(Find(profile, "name")));
  if (const std::string cost = PlainText(Find(profile, "pause_tsc_cycles")); !cost.empty()) {
    text += fmt::format(": one PAUSE costs {} TSC cycles", cost);
  }
  if (const std::string source = PlainText(Find(profile, "source")); !source.empty()) {
    text += fmt::format(" (source {})", source);
  }
  return text;
}

// The engine, the CPU, then every other key that fits; the profile last.
std::vector<std::string> WordsOfObject(const json& lab) {
  std::vector<std::string> words;
  for (const char* key : {"engine", "cpu"}) {
    if (std::string text = PlainText(Find(lab, key)); !text.empty()) {
      words.push_back(std::move(text));
    }
  }
  for (const auto& [key, value] : lab.items()) {
    if (IsSeed(key) || key == "engine" || key == "cpu" || key == "note" || key == "profile") {
      continue;
    }
    if (const std::string text = PlainText(&value); !text.empty()) {
      words.push_back(fmt::format("{}={}", key, text));
    }
  }
  return words;
}

// An object less the keys that `is_dropped`; anything else as it is.
json WithoutKeys(const json& value, bool (*is_dropped)(std::string_view key)) {
  if (!value.is_object()) return value;
  json rest = json::object();
  for (const auto& [key, item] : value.items()) {
    if (!is_dropped(key)) rest[key] = item;
  }
  return rest;
}

}  // namespace

bool IsLab(const json& host) { return LabOf(host) != nullptr; }

json LabWithoutSeed(const json& host) {
  const json* lab = LabOf(host);
  if (lab == nullptr) return nullptr;
  if (lab->is_string())
    return fmt::format("{}", fmt::join(WordsOfText(lab->get<std::string>()), ","));
  return WithoutKeys(*lab, IsSeed);
}

json LabWithSeed(const json& host) {
  const json* lab = LabOf(host);
  if (lab == nullptr) return nullptr;
  return WithoutKeys(*lab, [](std::string_view key) { return key.starts_with("seed_"); });
}

std::string LabText(const json& host) {
  const json* lab = LabOf(host);
  if (lab == nullptr) return {};
  std::vector<std::string> words = {PlainText(lab)};
  if (lab->is_string()) words = WordsOfText(lab->get<std::string>());
  if (lab->is_object()) words = WordsOfObject(*lab);
  const json* profile = Find(*lab, "profile");
  const bool has_profile = profile != nullptr && !profile->is_null();
  if (has_profile) words.push_back(ProfileText(*profile));
  return fmt::format("{}; {}, not silicon", fmt::join(words, ", "),
                     has_profile ? "a profile on an emulator" : "an emulator");
}

std::string LabNote(const json& host) {
  const json* lab = LabOf(host);
  return lab == nullptr ? std::string() : PlainText(Find(*lab, "note"));
}

}  // namespace plectl::experiment
