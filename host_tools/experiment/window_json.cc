// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/window_json.h"

#include <nlohmann/json.hpp>
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

bool IsUint32(const json& value) {
  return value.is_number_unsigned() && value.get<uint64_t>() <= UINT32_MAX;
}

bool IsTime(const json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>() <= kTimeMaxNs;
  return value.is_number_integer() && value.get<int64_t>() >= -kTimeMaxNs;
}

Result<WindowChange> ChangeFromJson(const JsonFields& window, const json& entry) {
  if (!entry.is_array() || entry.size() != 3 || !IsTime(entry[0]) || !IsUint32(entry[1]) ||
      !IsUint32(entry[2])) {
    return window.Wrong("track", "a list of [ns, old, new]");
  }
  return WindowChange{.time_ns = entry[0].get<int64_t>(),
                      .old_window = entry[1].get<uint32_t>(),
                      .new_window = entry[2].get<uint32_t>()};
}

Status ReadTrack(const JsonFields& window, const json& entries, size_t gap_at, WindowTrack& track) {
  if (!entries.is_array()) return window.Wrong("track", "a list of [ns, old, new]");
  for (const json& entry : entries) {
    PLECTL_ASSIGN_OR_RETURN(const WindowChange change, ChangeFromJson(window, entry));
    (track.first.size() < gap_at ? track.first : track.last).push_back(change);
  }
  return OkStatus();
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

Result<WindowTrack> WindowFromJson(const JsonFields& vcpu, std::string_view key) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields window, vcpu.Object(key));
  WindowTrack track;
  PLECTL_ASSIGN_OR_RETURN(track.changes, window.Uint("changes"));
  PLECTL_ASSIGN_OR_RETURN(const json* entries, window.Any("track"));
  const bool has_gap = window.Has("left_out_after");
  size_t gap_at = entries->size();
  if (has_gap) {
    PLECTL_ASSIGN_OR_RETURN(gap_at, window.Uint("left_out_after"));
  }
  PLECTL_RETURN_IF_ERROR(ReadTrack(window, *entries, gap_at, track));
  if (entries->size() > track.changes) return window.Wrong("changes", "as many as its track has");
  if (track.first.empty()) return track;
  PLECTL_ASSIGN_OR_RETURN(const uint64_t max, window.Uint("max", UINT32_MAX));
  track.max = static_cast<uint32_t>(max);
  return track;
}

}  // namespace plectl::experiment
