// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "host_tools/experiment/plain_text.h"

namespace plectl::experiment {
namespace {

constexpr size_t kDepthMax = 16;
constexpr size_t kBytesMax = 1 << 20;
constexpr size_t kKeysMax = 256;  // in one map; AddKey() compares each with all before it

YamlPlace PlaceOf(const YAML::Mark& mark) {
  return mark.is_null() ? YamlPlace{} : YamlPlace{mark.line + 1, mark.column + 1};
}

YamlNode MakeNode(YamlKind kind, const YAML::Mark& mark) {
  YamlNode node;
  node.kind = kind;
  node.place = PlaceOf(mark);
  return node;
}

// Builds the tree from the parser's events. It refuses by throwing the parser's own exception,
// which ParseYaml() catches.
class TreeBuilder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) Refuse(mark, "the file's one YAML document ends before this");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    CheckProperties(mark, "", anchor);
    Add(MakeNode(YamlKind::kNull, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Refuse(mark, "aliases (*name) are not supported; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckProperties(mark, tag, anchor);
    YamlNode node = MakeNode(YamlKind::kScalar, mark);
    node.text = value;
    node.quoted = tag == "!";
    Add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(YamlKind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(YamlKind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

  YamlNode TakeRoot() { return std::move(root_); }

 private:
  [[noreturn]] static void Refuse(const YAML::Mark& mark, const std::string& why) {
    throw YAML::ParserException(mark, why);
  }

  static void CheckProperties(const YAML::Mark& mark, const std::string& tag,
                              YAML::anchor_t anchor) {
    if (anchor != 0) Refuse(mark, "anchors (&name) are not supported; write the value out");
    // yaml-cpp marks a plain node with "?" and a quoted one with "!".
    if (tag.size() > 1) Refuse(mark, "tags (!name) are not supported; write the value alone");
  }

  void Open(YamlKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    CheckProperties(mark, tag, anchor);
    if (open_.size() == kDepthMax) Refuse(mark, fmt::format("nested deeper than {}", kDepthMax));
    open_.push_back(MakeNode(kind, mark));
  }

  void Close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back();
    if (parent.kind == YamlKind::kMap && parent.keys.size() == parent.values.size()) {
      AddKey(parent, std::move(node));
      return;
    }
    // The parser meets an absent value only at the token after it.
    if (parent.kind == YamlKind::kMap && node.kind == YamlKind::kNull) {
      node.place = parent.keys.back().place;
    }
    parent.values.push_back(std::move(node));
  }

  static void AddKey(YamlNode& map, YamlNode key) {
    const YAML::Mark mark = MarkOf(key.place);
    if (key.kind != YamlKind::kScalar) Refuse(mark, "a key must be a word");
    if (map.keys.size() == kKeysMax) Refuse(mark, fmt::format("more than {} keys", kKeysMax));
    const auto same = std::ranges::find(map.keys, key.text, &YamlNode::text);
    if (same != map.keys.end()) {
      Refuse(mark,
             fmt::format("the key \"{}\" is already set in line {}", key.text, same->place.line));
    }
    map.keys.push_back(std::move(key));
  }

  static YAML::Mark MarkOf(const YamlPlace& place) {
    YAML::Mark mark;
    mark.line = place.line - 1;
    mark.column = place.column - 1;
    return mark;
  }

  std::vector<YamlNode> open_;
  YamlNode root_;
  int documents_ = 0;
};

std::string StepAfter(const TextFlaw& flaw, std::string_view text) {
  if (LooksLikeUtf16(text)) return std::string(kFromUtf16);
  return flaw.is_control ? "give a text file: this is a binary or compressed one, or damaged"
                         : "save it as UTF-8, for example: iconv -f latin1 -t UTF-8 OLD >NEW";
}

YamlNode BuildTree(std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  TreeBuilder builder;
  while (parser.HandleNextDocument(builder)) {
  }
  return builder.TakeRoot();
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  const auto found = std::ranges::find(keys, key, &YamlNode::text);
  return found == keys.end() ? nullptr : &values[static_cast<size_t>(found - keys.begin())];
}

Failure FailAt(const YamlPlace& place, std::string_view message, std::string hint) {
  return BadInput(fmt::format("{}:{}: {}", place.line, place.column, message), std::move(hint));
}

Result<YamlNode> ParseYaml(std::string_view text) {
  if (text.size() > kBytesMax) {
    return FailAt({}, fmt::format("{} bytes; at most {} are read", text.size(), kBytesMax));
  }
  if (const auto flaw = FindTextFlaw(text)) {
    return FailAt({flaw->line, flaw->column}, flaw->what, StepAfter(*flaw, text));
  }
  try {
    return BuildTree(text);
  } catch (const YAML::Exception& error) {
    return FailAt(PlaceOf(error.mark), error.msg);
  } catch (const std::exception& error) {
    return FailAt({}, fmt::format("cannot be parsed as YAML: {}", error.what()));
  }
}

}  // namespace plectl::experiment
