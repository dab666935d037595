// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace plectl::experiment {

// A JSON value, whichever library holds it: nlohmann's tree, which can be made and changed, or the
// tape of simdjson, which is read ten times as fast. It refers to the tree or to the FastJson,
// which must outlive it.
class JsonValue {
 public:
  explicit JsonValue(const nlohmann::json& tree) : tree_(&tree) {}

  // Whether nobody will read what is said of it: who reads a FastJson reads the text again, as a
  // tree, when anything is wrong with it.
  [[nodiscard]] bool is_fast() const { return tree_ == nullptr; }

  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_null() const;
  // A number that JSON writes without sign, point and exponent. In memory it may have a signed
  // type.
  [[nodiscard]] std::optional<uint64_t> AsUint() const;
  // A whole number of 64 bits with sign.
  [[nodiscard]] std::optional<int64_t> AsInt() const;
  // Any number.
  [[nodiscard]] std::optional<double> AsDouble() const;
  [[nodiscard]] std::optional<bool> AsBool() const;
  [[nodiscard]] std::optional<std::string_view> AsText() const;
  // Where in an object the member stands that was found last. Who looks for members in their order
  // finds each at once.
  using Place = std::array<uint64_t, 2>;
  // Of an object; nothing when it has no such key. The search begins at `place`.
  [[nodiscard]] std::optional<JsonValue> Find(std::string_view key, Place& place) const;
  // Of an array.
  [[nodiscard]] size_t size() const;

  // Calls `visit(JsonValue)` with each item of the array, or `visit(std::string_view, JsonValue)`
  // with each member of the object, until it returns false. Whether it never did.
  template <class Visit>
  bool EachItem(Visit&& visit) const {
    return VisitItems(&visit, [](void* context, const JsonValue& item) {
      return (*static_cast<std::remove_reference_t<Visit>*>(context))(item);
    });
  }
  template <class Visit>
  bool EachMember(Visit&& visit) const {
    return VisitMembers(&visit, [](void* context, std::string_view key, const JsonValue& value) {
      return (*static_cast<std::remove_reference_t<Visit>*>(context))(key, value);
    });
  }

  // For a message: short, whatever it holds.
  [[nodiscard]] std::string Describe() const;
  // As a tree of its own.
  [[nodiscard]] nlohmann::json ToTree() const;

 private:
  friend class FastJson;
  // A simdjson::dom::element, whose header is too large to be read by all who read JSON.
  using Element = std::array<uint64_t, 2>;
  explicit JsonValue(Element element) : element_(element) {}

  using ItemVisitor = bool (*)(void* context, const JsonValue& item);
  using MemberVisitor = bool (*)(void* context, std::string_view key, const JsonValue& value);
  bool VisitItems(void* context, ItemVisitor visit) const;
  bool VisitMembers(void* context, MemberVisitor visit) const;

  const nlohmann::json* tree_ = nullptr;
  Element element_{};
};

// A parser that accepts a part of what ParseJsonObject() accepts, and nothing else, and cannot say
// what is wrong with the rest. Its memory is used again for the next text.
class FastJson {
 public:
  FastJson();
  ~FastJson();
  FastJson(const FastJson&) = delete;
  FastJson& operator=(const FastJson&) = delete;

  // The object that `text` holds, valid until the next call; or nothing. Copies the text unless
  // `readable_after` bytes after it, whatever they hold, are enough for the parser to read.
  std::optional<JsonValue> ParseObject(std::string_view text, size_t readable_after = 0);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace plectl::experiment
