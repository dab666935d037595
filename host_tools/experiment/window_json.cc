// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/window_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace plectl::experiment {
namespace {

using host::WindowChange;
using host::WindowTrack;
using nlohmann::json;

constexpr int64_t kTimeMaxNs = 1'000'000'000'000'000;

void Append(const std::vector<WindowChange>& changes, json& track) {
  for (const WindowChange& change : changes) {
    track.push_back({change.time_ns, change.old_window, change.new_window});
  }
}

// Nothing when it is no [ns, old, new].
std::optional<WindowChange> ChangeFromJson(const JsonValue& entry) {
  if (!entry.is_array()) return std::nullopt;
  std::array<int64_t, 3> numbers{};
  size_t count = 0;
  entry.EachItem([&](const JsonValue& item) {
    const std::optional<int64_t> number = item.AsInt();
    if (number && count < numbers.size()) numbers[count] = *number;
    if (!number) count = numbers.size();
    return ++count <= numbers.size();
  });
  const auto is_uint32 = [](int64_t value) { return value >= 0 && value <= UINT32_MAX; };
  if (count != numbers.size() || numbers[0] < -kTimeMaxNs || numbers[0] > kTimeMaxNs ||
      !is_uint32(numbers[1]) || !is_uint32(numbers[2])) {
    return std::nullopt;
  }
  return WindowChange{.time_ns = numbers[0],
                      .old_window = static_cast<uint32_t>(numbers[1]),
                      .new_window = static_cast<uint32_t>(numbers[2])};
}

// How many changes there are. Without `track` they are only checked.
Result<size_t> ReadTrack(const JsonFields& window, const JsonValue& entries, size_t gap_at,
                         WindowTrack* track) {
  size_t changes = 0;
  const bool read = entries.is_array() && entries.EachItem([&](const JsonValue& entry) {
    const std::optional<WindowChange> change = ChangeFromJson(entry);
    if (change && track != nullptr) {
      (changes < gap_at ? track->first : track->last).push_back(*change);
    }
    ++changes;
    return change.has_value();
  });
  if (!read) return window.Wrong("track", "a list of [ns, old, new]");
  return changes;
}

}  // namespace

json ToJson(const WindowTrack& track) {
  json object = {{"changes", track.changes}, {"track", json::array()}};
  Append(track.first, object["track"]);
  Append(track.last, object["track"]);
  if (track.first.empty()) return object;
  object["first"] = track.first.front().old_window;
  object["last"] = (track.last.empty() ? track.first : track.last).back().new_window;
  object["max"] = track.max;
  if (track.last.empty()) return object;
  object["left_out"] = track.left_out();
  object["left_out_after"] = track.first.size();
  return object;
}

Result<WindowTrack> WindowFromJson(const JsonFields& vcpu, std::string_view key, Keep keep) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields window, vcpu.Object(key));
  WindowTrack track;
  PLECTL_ASSIGN_OR_RETURN(track.changes, window.Uint("changes"));
  PLECTL_ASSIGN_OR_RETURN(const JsonValue entries, window.Any("track"));
  const bool has_gap = window.Has("left_out_after");
  size_t gap_at = SIZE_MAX;
  if (has_gap) {
    PLECTL_ASSIGN_OR_RETURN(gap_at, window.Uint("left_out_after"));
  }
  PLECTL_ASSIGN_OR_RETURN(const size_t changes, ReadTrack(window, entries, gap_at,
                                                          keep == Keep::kYes ? &track : nullptr));
  if (changes > track.changes) return window.Wrong("changes", "as many as its track has");
  if (changes == 0 || gap_at == 0) return track;
  PLECTL_ASSIGN_OR_RETURN(const uint64_t max, window.Uint("max", UINT32_MAX));
  track.max = static_cast<uint32_t>(max);
  return track;
}

}  // namespace plectl::experiment
