// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/noise_json.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plectl::experiment {
namespace {

using host::NoiseQuantityInfo;
using host::NoiseRecord;
using nlohmann::json;

constexpr std::string_view kMissingBecause = "missing_because";
constexpr std::string_view kTopIrqs = "top_irqs";

std::vector<std::string_view> MakeGroups() {
  std::vector<std::string_view> groups;
  for (const NoiseQuantityInfo& info : host::NoiseQuantities()) {
    if (std::ranges::find(groups, info.group) == groups.end()) groups.push_back(info.group);
  }
  return groups;
}

const std::vector<std::string_view>& Groups() {
  static const std::vector<std::string_view> groups = MakeGroups();
  return groups;
}

json GroupToJson(std::string_view group, const NoiseRecord& noise) {
  json object = json::object();
  for (const NoiseQuantityInfo& info : host::NoiseQuantities()) {
    if (info.group == group) object[info.name] = ToJson(noise.counts[info.quantity]);
  }
  const json& first = *object.begin();
  const bool all_missing = first.is_object() && std::ranges::all_of(object, [&](const json& count) {
                             return count == first;
                           });
  return all_missing ? first : object;
}

// Here and below nothing is kept without a record to keep it in.
Status ReadGroup(const JsonFields& noise, std::string_view group, NoiseRecord* record) {
  if (!noise.Has(group)) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, noise.Object(group));
  const bool all_missing = object.Has(kMissingBecause);
  for (const NoiseQuantityInfo& info : host::NoiseQuantities()) {
    if (info.group != group) continue;
    if (!all_missing && !object.Has(info.name)) continue;
    Result<Count> count = all_missing ? noise.CountOf(group) : object.CountOf(info.name);
    if (!count) return Fail(std::move(count).error());
    if (record != nullptr) record->counts[info.quantity] = *std::move(count);
    if (all_missing && record == nullptr) break;
  }
  return OkStatus();
}

// A list, since an object would not keep the order.
Status ReadTopIrqs(const JsonFields& noise, NoiseRecord* record) {
  if (!noise.Has(kTopIrqs)) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(const std::vector<JsonFields> irqs, noise.ObjectList(kTopIrqs));
  for (const JsonFields& irq : irqs) {
    PLECTL_ASSIGN_OR_RETURN(std::string name, irq.Text("name"));
    PLECTL_ASSIGN_OR_RETURN(const uint64_t fired, irq.Uint("fired"));
    if (record != nullptr) record->top_irqs.emplace_back(std::move(name), fired);
  }
  return OkStatus();
}

Status Read(const JsonFields& trial, NoiseRecord* record) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields noise, trial.Object("noise"));
  PLECTL_ASSIGN_OR_RETURN(const uint64_t window_ns, noise.Uint("window_ns", INT64_MAX));
  for (const std::string_view group : Groups()) {
    PLECTL_RETURN_IF_ERROR(ReadGroup(noise, group, record));
  }
  PLECTL_ASSIGN_OR_RETURN(std::string worst_zone, noise.TextOrEmpty("worst_zone"));
  PLECTL_RETURN_IF_ERROR(ReadTopIrqs(noise, record));
  if (record == nullptr) return OkStatus();
  record->window_ns = static_cast<int64_t>(window_ns);
  record->worst_zone = std::move(worst_zone);
  return OkStatus();
}

}  // namespace

json NoiseToJson(const NoiseRecord& noise) {
  json object = {{"window_ns", noise.window_ns}};
  for (const std::string_view group : Groups()) object[group] = GroupToJson(group, noise);
  if (!noise.worst_zone.empty()) object["worst_zone"] = noise.worst_zone;
  for (const auto& [name, fired] : noise.top_irqs) {
    object[kTopIrqs].push_back({{"name", name}, {"fired", fired}});
  }
  return object;
}

Result<NoiseRecord> NoiseFromJson(const JsonFields& trial) {
  NoiseRecord record;
  PLECTL_RETURN_IF_ERROR(Read(trial, &record));
  return record;
}

Status CheckNoise(const JsonFields& trial) { return Read(trial, nullptr); }

}  // namespace plectl::experiment
