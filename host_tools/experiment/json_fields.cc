// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/json_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace plectl::experiment {
namespace {

using nlohmann::json;

// A value for a message: short, whatever it holds.
std::string Describe(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return fmt::format("{:.60}", value.dump(-1, ' ', false, json::error_handler_t::replace));
}

// A number that JSON writes without sign, point and exponent. In memory it may have a signed type.
std::optional<uint64_t> AsUint(const json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (!value.is_number_integer() || value.get<int64_t>() < 0) return std::nullopt;
  return static_cast<uint64_t>(value.get<int64_t>());
}

}  // namespace

Result<JsonFields> JsonFields::Of(const json& json, std::string where) {
  if (json.is_object()) return JsonFields(json, std::move(where));
  return BadInput(fmt::format("{}: expected an object, got {}", where, Describe(json)));
}

std::string JsonFields::PathOf(std::string_view key) const {
  return fmt::format("{}.{}", where_, key);
}

bool JsonFields::Has(std::string_view key) const { return json_->contains(key); }

Failure JsonFields::Wrong(std::string_view key, std::string_view expected) const {
  const auto found = json_->find(key);
  return BadInput(fmt::format("{}: expected {}, got {}", PathOf(key), expected,
                              found == json_->end() ? "nothing" : Describe(*found)));
}

Result<const json*> JsonFields::Any(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end()) return Wrong(key, "a value");
  return &*found;
}

Result<uint64_t> JsonFields::Uint(std::string_view key, uint64_t max) const {
  const auto found = json_->find(key);
  const std::optional<uint64_t> value = found == json_->end() ? std::nullopt : AsUint(*found);
  if (value && *value <= max) return *value;
  return Wrong(key, fmt::format("a whole number from 0 to {}", max));
}

Result<uint64_t> JsonFields::UintOrZero(std::string_view key) const {
  if (!Has(key)) return uint64_t{0};
  return Uint(key);
}

Result<int64_t> JsonFields::Int(std::string_view key) const {
  const auto found = json_->find(key);
  const bool fits = found != json_->end() && found->is_number_integer() &&
                    (found->is_number_unsigned() ? found->get<uint64_t>() <= INT64_MAX
                                                 : found->get<int64_t>() != INT64_MIN);
  if (!fits) return Wrong(key, "a whole number of 64 bits with sign");
  return found->get<int64_t>();
}

Result<double> JsonFields::Number(std::string_view key) const {
  const auto found = json_->find(key);
  if (found != json_->end() && found->is_number()) {
    if (const auto value = found->get<double>(); std::isfinite(value) && value >= 0) return value;
  }
  return Wrong(key, "a number of at least 0");
}

Result<std::optional<double>> JsonFields::NumberIfKnown(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end() || found->is_null()) return std::optional<double>();
  if (found->is_object()) {
    PLECTL_RETURN_IF_ERROR(CountOf(key));
    return std::optional<double>();
  }
  PLECTL_ASSIGN_OR_RETURN(const double value, Number(key));
  return std::optional<double>(value);
}

Result<bool> JsonFields::Bool(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end() || !found->is_boolean()) return Wrong(key, "true or false");
  return found->get<bool>();
}

Result<std::string> JsonFields::Text(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end() || !found->is_string()) return Wrong(key, "a text");
  return found->get<std::string>();
}

Result<std::string> JsonFields::TextOrEmpty(std::string_view key) const {
  if (!Has(key)) return std::string();
  return Text(key);
}

Result<Count> JsonFields::CountOf(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end() || !found->is_object()) {
    PLECTL_ASSIGN_OR_RETURN(const uint64_t value, Uint(key));
    return Count(value);
  }
  PLECTL_ASSIGN_OR_RETURN(const JsonFields missing, Object(key));
  PLECTL_ASSIGN_OR_RETURN(std::string because, missing.Text("missing_because"));
  if (because.empty()) return missing.Wrong("missing_because", "a reason");
  return Count::Missing(std::move(because));
}

Result<std::map<std::string, Count>> JsonFields::CountMap(std::string_view key) const {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, Object(key));
  std::map<std::string, Count> counts;
  for (const auto& item : object.json_->items()) {
    PLECTL_ASSIGN_OR_RETURN(Count count, object.CountOf(item.key()));
    counts.emplace(item.key(), std::move(count));
  }
  return counts;
}

Result<std::vector<uint64_t>> JsonFields::UintList(std::string_view key, uint64_t max) const {
  const auto found = json_->find(key);
  if (found == json_->end() || !found->is_array()) return Wrong(key, "a list of numbers");
  std::vector<uint64_t> numbers;
  for (const json& item : *found) {
    const std::optional<uint64_t> number = AsUint(item);
    if (!number || *number > max) {
      return BadInput(fmt::format("{}: expected whole numbers from 0 to {}, got {}", PathOf(key),
                                  max, Describe(item)));
    }
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<std::string>> JsonFields::TextList(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end() || !found->is_array()) return Wrong(key, "a list of texts");
  std::vector<std::string> texts;
  for (const json& item : *found) {
    if (!item.is_string()) {
      return BadInput(fmt::format("{}: expected texts, got {}", PathOf(key), Describe(item)));
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Result<std::map<std::string, uint64_t>> JsonFields::UintMap(std::string_view key) const {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, Object(key));
  std::map<std::string, uint64_t> numbers;
  for (const auto& [name, value] : object.json_->items()) {
    PLECTL_ASSIGN_OR_RETURN(numbers[name], object.Uint(name));
  }
  return numbers;
}

Result<JsonFields> JsonFields::Object(std::string_view key) const {
  PLECTL_ASSIGN_OR_RETURN(const json* value, Any(key));
  return Of(*value, PathOf(key));
}

Result<std::vector<JsonFields>> JsonFields::ObjectList(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end() || !found->is_array()) return Wrong(key, "a list of objects");
  std::vector<JsonFields> objects;
  for (const json& item : *found) {
    PLECTL_ASSIGN_OR_RETURN(JsonFields fields,
                            Of(item, fmt::format("{}[{}]", PathOf(key), objects.size())));
    objects.push_back(std::move(fields));
  }
  return objects;
}

json FiniteToJson(double value) {
  if (std::isfinite(value)) return value;
  return {{"missing_because", "not a finite number"}};
}

json ToJson(const Count& count) {
  if (count.has_value()) return count.value();
  return {{"missing_because", count.missing_because()}};
}

json ToJson(const std::map<std::string, Count>& counts) {
  json object = json::object();
  for (const auto& [name, count] : counts) object[name] = ToJson(count);
  return object;
}

}  // namespace plectl::experiment
