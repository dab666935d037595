// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/json_value.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>

namespace plectl::experiment {
namespace {

using nlohmann::json;
using simdjson::dom::element;

using Element = std::array<uint64_t, 2>;
static_assert(sizeof(element) == sizeof(Element) && std::is_trivially_copyable_v<element>);

element ElementOf(const Element& words) { return std::bit_cast<element>(words); }
Element WordsOf(const element& value) { return std::bit_cast<Element>(value); }

// The value, or nothing when it has another type.
template <class T>
std::optional<T> Get(const Element& words) {
  T value;
  if (ElementOf(words).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

using Member = simdjson::dom::object::iterator;
static_assert(sizeof(Member) == sizeof(JsonValue::Place) && std::is_trivially_copyable_v<Member>);

// Most keys differ in their length or first byte, which is seen without a call.
bool HasKey(const Member& member, std::string_view key) {
  if (member.key_length() != key.size()) return false;
  if (key.empty()) return true;
  return *member.key_c_str() == key[0] &&
         std::memcmp(member.key_c_str(), key.data(), key.size()) == 0;
}

bool IsBelow(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty() || a[0] == b[0]) return a < b;
  return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]);
}

std::optional<element> FindBetween(Member from, const Member& to, std::string_view key,
                                   JsonValue::Place& place) {
  for (; from != to; ++from) {
    if (!HasKey(from, key)) continue;
    place = std::bit_cast<JsonValue::Place>(from);
    return from.value();
  }
  return std::nullopt;
}

// From `place` to the end, then from the start to `place`.
std::optional<element> FindMember(const Element& words, std::string_view key,
                                  JsonValue::Place& place) {
  const auto object = Get<simdjson::dom::object>(words);
  if (!object) return std::nullopt;
  const bool is_first = place == JsonValue::Place{};
  const Member start = is_first ? object->begin() : std::bit_cast<Member>(place);
  const std::optional<element> found = FindBetween(start, object->end(), key, place);
  if (found || is_first) return found;
  return FindBetween(object->begin(), start, key, place);
}

// As deep as ParseJsonObject() goes.
constexpr size_t kDepthMax = 32;

// Whether no key stands twice in an object. Writers sort their keys, which makes that cheap to see.
bool HasUniqueKeys(const simdjson::dom::object& object) {
  std::string_view last;
  bool ascending = true;
  bool first = true;
  for (const auto field : object) {
    ascending = ascending && (first || IsBelow(last, field.key));
    last = field.key;
    first = false;
  }
  if (ascending) return true;
  std::set<std::string_view> keys;
  for (const auto field : object) {
    if (!keys.insert(field.key).second) return false;
  }
  return true;
}

bool HasParts(const element& value) { return value.is_object() || value.is_array(); }

// Of an object or array.
// NOLINTNEXTLINE(misc-no-recursion): no deeper than kDepthMax
bool IsStrict(const element& value, size_t depth) {
  if (++depth > kDepthMax) return false;
  if (value.is_array()) {
    for (const element item : simdjson::dom::array(value.get_array().value_unsafe())) {
      if (HasParts(item) && !IsStrict(item, depth)) return false;
    }
    return true;
  }
  const simdjson::dom::object object(value.get_object().value_unsafe());
  if (!HasUniqueKeys(object)) return false;
  for (const auto field : object) {
    if (HasParts(field.value) && !IsStrict(field.value, depth)) return false;
  }
  return true;
}

}  // namespace

bool JsonValue::is_object() const {
  return is_fast() ? ElementOf(element_).is_object() : tree_->is_object();
}

bool JsonValue::is_array() const {
  return is_fast() ? ElementOf(element_).is_array() : tree_->is_array();
}

bool JsonValue::is_null() const {
  return is_fast() ? ElementOf(element_).is_null() : tree_->is_null();
}

std::optional<uint64_t> JsonValue::AsUint() const {
  if (is_fast()) return Get<uint64_t>(element_);
  if (tree_->is_number_unsigned()) return tree_->get<uint64_t>();
  if (!tree_->is_number_integer() || tree_->get<int64_t>() < 0) return std::nullopt;
  return static_cast<uint64_t>(tree_->get<int64_t>());
}

std::optional<int64_t> JsonValue::AsInt() const {
  if (is_fast()) return Get<int64_t>(element_);
  if (!tree_->is_number_integer()) return std::nullopt;
  if (tree_->is_number_unsigned() && tree_->get<uint64_t>() > INT64_MAX) return std::nullopt;
  return tree_->get<int64_t>();
}

std::optional<double> JsonValue::AsDouble() const {
  if (is_fast()) return Get<double>(element_);
  if (!tree_->is_number()) return std::nullopt;
  return tree_->get<double>();
}

std::optional<bool> JsonValue::AsBool() const {
  if (is_fast()) return Get<bool>(element_);
  if (!tree_->is_boolean()) return std::nullopt;
  return tree_->get<bool>();
}

std::optional<std::string_view> JsonValue::AsText() const {
  if (is_fast()) return Get<std::string_view>(element_);
  if (!tree_->is_string()) return std::nullopt;
  return std::string_view(tree_->get_ref<const std::string&>());
}

std::optional<JsonValue> JsonValue::Find(std::string_view key, Place& place) const {
  if (is_fast()) {
    const std::optional<element> found = FindMember(element_, key, place);
    if (!found) return std::nullopt;
    return JsonValue(WordsOf(*found));
  }
  const auto found = tree_->find(key);
  if (found == tree_->end()) return std::nullopt;
  return JsonValue(*found);
}

size_t JsonValue::size() const {
  if (!is_fast()) return tree_->size();
  // The tape keeps no exact size of large arrays.
  size_t items = 0;
  EachItem([&items](const JsonValue& /*item*/) {
    ++items;
    return true;
  });
  return items;
}

bool JsonValue::VisitItems(void* context, ItemVisitor visit) const {
  if (is_fast()) {
    const auto array = Get<simdjson::dom::array>(element_);
    if (!array) return true;
    for (const element item : *array) {
      if (!visit(context, JsonValue(WordsOf(item)))) return false;
    }
    return true;
  }
  for (const json& item : *tree_) {
    if (!visit(context, JsonValue(item))) return false;
  }
  return true;
}

bool JsonValue::VisitMembers(void* context, MemberVisitor visit) const {
  if (is_fast()) {
    const auto object = Get<simdjson::dom::object>(element_);
    if (!object) return true;
    for (const auto field : *object) {
      if (!visit(context, field.key, JsonValue(WordsOf(field.value)))) return false;
    }
    return true;
  }
  for (const auto& [key, value] : tree_->items()) {
    if (!visit(context, key, JsonValue(value))) return false;
  }
  return true;
}

std::string JsonValue::Describe() const {
  if (is_object()) return "an object";
  if (is_array()) return "a list";
  if (is_fast()) return fmt::format("{:.60}", simdjson::minify(ElementOf(element_)));
  return fmt::format("{:.60}", tree_->dump(-1, ' ', false, json::error_handler_t::replace));
}

json JsonValue::ToTree() const {
  return is_fast() ? json::parse(simdjson::minify(ElementOf(element_))) : *tree_;
}

struct FastJson::Parser {
  // For texts of `size` and somewhat longer ones: records differ by a few bytes.
  bool MakeRoom(size_t size) {
    if (size <= room) return true;
    room = std::bit_ceil(size);
    return parser.allocate(room) == simdjson::SUCCESS &&
           parser.doc.allocate(room) == simdjson::SUCCESS;
  }

  simdjson::dom::parser parser;
  size_t room = 0;
};

FastJson::FastJson() : parser_(std::make_unique<Parser>()) {}
FastJson::~FastJson() = default;

std::optional<JsonValue> FastJson::ParseObject(std::string_view text, size_t readable_after) {
  if (!parser_->MakeRoom(text.size())) return std::nullopt;
  element value;
  const bool copy = readable_after < simdjson::SIMDJSON_PADDING;
  if (parser_->parser.parse(text.data(), text.size(), copy).get(value) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (!value.is_object() || !IsStrict(value, 0)) return std::nullopt;
  return JsonValue(WordsOf(value));
}

}  // namespace plectl::experiment
