// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/json_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace plectl::experiment {
using nlohmann::json;

Result<JsonFields> JsonFields::Of(const json& object, std::string where) {
  return Of(JsonValue(object), std::move(where));
}

Result<JsonFields> JsonFields::Of(const JsonValue& object, std::string where) {
  if (object.is_object()) return JsonFields(object, std::move(where));
  return BadInput(fmt::format("{}: expected an object, got {}", where, object.Describe()));
}

std::string JsonFields::PathOf(std::string_view key) const {
  return json_.is_fast() ? std::string() : fmt::format("{}.{}", where_, key);
}

bool JsonFields::Has(std::string_view key) const { return json_.Find(key, place_).has_value(); }

Failure JsonFields::Wrong(std::string_view key, std::string_view expected) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  return BadInput(fmt::format("{}: expected {}, got {}", PathOf(key), expected,
                              found ? found->Describe() : "nothing"));
}

Result<JsonValue> JsonFields::Any(std::string_view key) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  if (!found) return Wrong(key, "a value");
  return *found;
}

Result<uint64_t> JsonFields::Uint(std::string_view key, uint64_t max) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  const std::optional<uint64_t> value = found ? found->AsUint() : std::nullopt;
  if (value && *value <= max) return *value;
  return Wrong(key, fmt::format("a whole number from 0 to {}", max));
}

Result<uint64_t> JsonFields::UintOrZero(std::string_view key, uint64_t max) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  if (!found) return uint64_t{0};
  const std::optional<uint64_t> value = found->AsUint();
  if (!value || *value > max) return Uint(key, max);  // says what is wrong
  return *value;
}

Result<int64_t> JsonFields::Int(std::string_view key) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  const std::optional<int64_t> value = found ? found->AsInt() : std::nullopt;
  if (value && *value != INT64_MIN) return *value;
  return Wrong(key, "a whole number of 64 bits with sign");
}

Result<double> JsonFields::Number(std::string_view key, double max) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  const std::optional<double> value = found ? found->AsDouble() : std::nullopt;
  constexpr double kRounding = 1 + 1e-9;
  if (value && std::isfinite(*value) && *value >= 0 && *value / kRounding <= max) return *value;
  if (max == kLargestNumber) return Wrong(key, "a number of at least 0");
  return Wrong(key, fmt::format("a number from 0 to {}", max));
}

Result<std::optional<double>> JsonFields::NumberIfKnown(std::string_view key, double max) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  if (!found || found->is_null()) return std::optional<double>();
  if (found->is_object()) {
    PLECTL_RETURN_IF_ERROR(CountOf(key));
    return std::optional<double>();
  }
  PLECTL_ASSIGN_OR_RETURN(const double value, Number(key, max));
  return std::optional<double>(value);
}

Result<bool> JsonFields::Bool(std::string_view key) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  const std::optional<bool> value = found ? found->AsBool() : std::nullopt;
  if (!value) return Wrong(key, "true or false");
  return *value;
}

Result<std::string> JsonFields::Text(std::string_view key) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  const std::optional<std::string_view> text = found ? found->AsText() : std::nullopt;
  if (!text) return Wrong(key, "a text");
  return std::string(*text);
}

Result<std::string> JsonFields::TextOrEmpty(std::string_view key) const {
  if (!Has(key)) return std::string();
  return Text(key);
}

Result<Count> JsonFields::CountOf(std::string_view key) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  if (!found || !found->is_object()) {
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
  Status read = OkStatus();
  object.json_.EachMember([&](std::string_view name, const JsonValue& /*value*/) {
    Result<Count> count = object.CountOf(name);
    if (!count) {
      read = Fail(count.error());
      return false;
    }
    counts.emplace_hint(counts.end(), name, *std::move(count));
    return true;
  });
  PLECTL_RETURN_IF_ERROR(std::move(read));
  return counts;
}

Result<std::vector<uint64_t>> JsonFields::UintList(std::string_view key, uint64_t max) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  if (!found || !found->is_array()) return Wrong(key, "a list of numbers");
  std::vector<uint64_t> numbers;
  Status read = OkStatus();
  found->EachItem([&](const JsonValue& item) {
    const std::optional<uint64_t> number = item.AsUint();
    if (number && *number <= max) {
      numbers.push_back(*number);
      return true;
    }
    read = BadInput(fmt::format("{}: expected whole numbers from 0 to {}, got {}", PathOf(key), max,
                                item.Describe()));
    return false;
  });
  PLECTL_RETURN_IF_ERROR(std::move(read));
  return numbers;
}

Result<std::vector<std::string>> JsonFields::TextList(std::string_view key) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  if (!found || !found->is_array()) return Wrong(key, "a list of texts");
  std::vector<std::string> texts;
  Status read = OkStatus();
  found->EachItem([&](const JsonValue& item) {
    const std::optional<std::string_view> text = item.AsText();
    if (text) {
      texts.emplace_back(*text);
      return true;
    }
    read = BadInput(fmt::format("{}: expected texts, got {}", PathOf(key), item.Describe()));
    return false;
  });
  PLECTL_RETURN_IF_ERROR(std::move(read));
  return texts;
}

Result<std::map<std::string, uint64_t>> JsonFields::UintMap(std::string_view key, Keep keep) const {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields object, Object(key));
  std::map<std::string, uint64_t> numbers;
  Status read = OkStatus();
  object.json_.EachMember([&](std::string_view name, const JsonValue& value) {
    const std::optional<uint64_t> number = value.AsUint();
    if (number) {
      if (keep == Keep::kYes) numbers.emplace_hint(numbers.end(), name, *number);
      return true;
    }
    read = Fail(object.Uint(name).error());
    return false;
  });
  PLECTL_RETURN_IF_ERROR(std::move(read));
  return numbers;
}

Result<JsonFields> JsonFields::Object(std::string_view key) const {
  PLECTL_ASSIGN_OR_RETURN(const JsonValue value, Any(key));
  return Of(value, PathOf(key));
}

Result<std::vector<JsonFields>> JsonFields::ObjectList(std::string_view key) const {
  const std::optional<JsonValue> found = json_.Find(key, place_);
  if (!found || !found->is_array()) return Wrong(key, "a list of objects");
  std::vector<JsonFields> objects;
  objects.reserve(found->size());
  Status read = OkStatus();
  found->EachItem([&](const JsonValue& item) {
    if (item.is_object()) {
      objects.push_back(JsonFields(item, json_.is_fast()
                                             ? std::string()
                                             : fmt::format("{}[{}]", PathOf(key), objects.size())));
      return true;
    }
    read = Fail(Of(item, fmt::format("{}[{}]", PathOf(key), objects.size())).error());
    return false;
  });
  PLECTL_RETURN_IF_ERROR(std::move(read));
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
