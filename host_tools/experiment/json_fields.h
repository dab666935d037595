// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/json_value.h"

namespace plectl::experiment {

// Whether what is read is kept, or only checked: then the reader returns nothing of it.
enum class Keep { kNo, kYes };

// Reads the fields of one JSON object from outside. Every reader gives BadInput "WHERE.KEY:
// expected
// ..., got ..." when the field is absent, of another type or out of range. It refers to the JSON,
// which must outlive it.
class JsonFields {
 public:
  // `where` names the object in messages ("trial"). BadInput when `json` is no object.
  static Result<JsonFields> Of(const nlohmann::json& object, std::string where);
  static Result<JsonFields> Of(const JsonValue& object, std::string where);

  [[nodiscard]] bool Has(std::string_view key) const;
  [[nodiscard]] Result<uint64_t> Uint(std::string_view key, uint64_t max = UINT64_MAX) const;
  // The number, or 0 when the key is absent: for fields that writers may leave out.
  [[nodiscard]] Result<uint64_t> UintOrZero(std::string_view key, uint64_t max = UINT64_MAX) const;
  // A whole number of 64 bits with sign, INT64_MIN excluded: so it can be negated.
  [[nodiscard]] Result<int64_t> Int(std::string_view key) const;
  // A finite number from 0 to `max`, which rounding may carry it beyond.
  [[nodiscard]] Result<double> Number(std::string_view key, double max = kLargestNumber) const;
  // As above; nothing when it is absent, null (how JSON writes what is not finite) or missing.
  [[nodiscard]] Result<std::optional<double>> NumberIfKnown(std::string_view key,
                                                            double max = kLargestNumber) const;
  [[nodiscard]] Result<bool> Bool(std::string_view key) const;
  [[nodiscard]] Result<std::string> Text(std::string_view key) const;
  // The text, or "" when the key is absent.
  [[nodiscard]] Result<std::string> TextOrEmpty(std::string_view key) const;
  // A number or {"missing_because": TEXT}.
  [[nodiscard]] Result<Count> CountOf(std::string_view key) const;
  // An object of such counts.
  [[nodiscard]] Result<std::map<std::string, Count>> CountMap(std::string_view key) const;
  [[nodiscard]] Result<std::vector<uint64_t>> UintList(std::string_view key, uint64_t max) const;
  [[nodiscard]] Result<std::vector<std::string>> TextList(std::string_view key) const;
  [[nodiscard]] Result<std::map<std::string, uint64_t>> UintMap(std::string_view key,
                                                                Keep keep = Keep::kYes) const;
  // Whatever the key holds; only its presence is checked.
  [[nodiscard]] Result<JsonValue> Any(std::string_view key) const;
  // The fields of the object or the items of the list that the key holds.
  [[nodiscard]] Result<JsonFields> Object(std::string_view key) const;
  [[nodiscard]] Result<std::vector<JsonFields>> ObjectList(std::string_view key) const;

  // The error for a field whose value is not what it must be.
  [[nodiscard]] Failure Wrong(std::string_view key, std::string_view expected) const;

 private:
  static constexpr double kLargestNumber = std::numeric_limits<double>::max();
  JsonFields(const JsonValue& json, std::string where) : json_(json), where_(std::move(where)) {}
  [[nodiscard]] std::string PathOf(std::string_view key) const;

  JsonValue json_;
  mutable JsonValue::Place place_{};  // of the field that was read last
  std::string where_;
};

// A count as run logs hold it, and several by name.
nlohmann::json ToJson(const Count& count);
// A number, or that it is missing where it is not finite, which JSON cannot say.
nlohmann::json FiniteToJson(double value);
nlohmann::json ToJson(const std::map<std::string, Count>& counts);

// Parses one JSON text that must be an object. BadInput for syntax errors, text that is not UTF-8,
// NUL bytes, keys that stand twice in an object, and nesting deeper than 32 (so that no later walk
// over the value can exhaust the stack).
Result<nlohmann::json> ParseJsonObject(std::string_view text);

}  // namespace plectl::experiment
