// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "host_tools/experiment/json_fields.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;

constexpr size_t kDepthMax = 32;

// Watches the parser's events for what JSON allows and run logs do not. It refuses by throwing,
// which ParseJsonObject() catches.
class StrictParsing {
 public:
  bool OnEvent(json::parse_event_t event, const json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        if (open_.size() == kDepthMax) throw std::runtime_error("nested too deep");
        open_.emplace_back();
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        open_.pop_back();
        break;
      case json::parse_event_t::key:
        CheckNewKey(parsed.get_ref<const std::string&>());
        break;
      case json::parse_event_t::value:
        break;
    }
    return true;
  }

 private:
  void CheckNewKey(const std::string& key) {
    if (open_.back().insert(key).second) return;
    throw std::runtime_error(fmt::format("the key \"{:.60}\" stands twice in an object", key));
  }

  std::vector<std::set<std::string>> open_;  // the keys so far of each open object
};

// "[json.exception.parse_error.101] parse error at ..." without the part that is for programmers.
std::string_view ReadableReason(std::string_view what) {
  const size_t end = what.find("] ");
  return what.starts_with("[json.exception.") && end != std::string_view::npos
             ? what.substr(end + 2)
             : what;
}

}  // namespace

Result<json> ParseJsonObject(std::string_view text) {
  // The parser would take a NUL byte for the end of its input and ignore the rest.
  if (text.find('\0') != std::string_view::npos) return BadInput("holds a NUL byte");
  StrictParsing strict;
  const auto callback = [&strict](int /*depth*/, json::parse_event_t event, json& parsed) {
    return strict.OnEvent(event, parsed);
  };
  try {
    json parsed = json::parse(text, callback);
    if (!parsed.is_object()) return BadInput("is no JSON object");
    return parsed;
  } catch (const std::exception& error) {
    return BadInput(std::string(ReadableReason(error.what())));
  }
}

}  // namespace plectl::experiment
