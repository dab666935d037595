// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::experiment {

// Where something stands in a YAML text; both count from 1, as editors do.
struct YamlPlace {
  int line = 1;
  int column = 1;
};

enum class YamlKind { kNull, kScalar, kList, kMap };

// One node of a parsed YAML text, with its place: so that every later error can name it.
struct YamlNode {
  YamlKind kind = YamlKind::kNull;
  YamlPlace place;
  std::string text;              // kScalar: its value
  bool quoted = false;           // kScalar: written as "..." or '...', so never a number
  std::vector<YamlNode> keys;    // kMap: scalars, each different
  std::vector<YamlNode> values;  // kMap: of keys[i]; kList: its items

  // The value of `key` in a map, or nullptr.
  [[nodiscard]] const YamlNode* Find(std::string_view key) const;
};

// A BadInput error whose message begins with "LINE:COLUMN: "; the parser of the whole file puts the
// file's name before it.
Failure FailAt(const YamlPlace& place, std::string_view message, std::string hint = {});

// Parses one YAML document. Refused, each with its place: syntax errors, more than one document,
// aliases, anchors and tags (so the tree is never larger than the text), nesting deeper than 16,
// keys that are no scalars or stand twice in a map, more than 256 keys in a map, control
// characters, text that is not UTF-8, and more than 1 MiB.
Result<YamlNode> ParseYaml(std::string_view text);

}  // namespace plectl::experiment
