// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/observed_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace plectl::experiment {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

host::WindowTrack Track(size_t first, size_t last, uint64_t left_out) {
  host::WindowTrack track;
  track.changes = first + last + left_out;
  track.max = 9999;
  for (size_t i = 0; i < first + last; ++i) {
    const auto window = static_cast<uint32_t>(100 * i);
    (i < first ? track.first : track.last)
        .push_back({.time_ns = static_cast<int64_t>(i) - 1,
                    .old_window = window,
                    .new_window = window + 100});
  }
  return track;
}

host::VcpuCounts Everything() {
  host::VcpuCounts counts;
  counts.pause_exits = 12;
  counts.by_reason = {{"PAUSE_INSTRUCTION", 12}, {"EXTERNAL_INTERRUPT", 3}};
  counts.window = Track(3, 2, 7);
  counts.exit_times = {{"PAUSE_INSTRUCTION",
                        {.count = 11,
                         .unfinished = 1,
                         .total_ns = 500,
                         .min_ns = 30,
                         .max_ns = 90,
                         .log2_ns = {0, 0, 0, 0, 4, 5, 2}}}};
  counts.hardware = {{"cycles_guest", 123}, {"pauses", Count::Missing("no event")}};
  counts.directed_yields = host::DirectedYields{.on_spin_calls = 12,
                                                .without_candidate = 2,
                                                .attempts = 13,
                                                .succeeded = 4,
                                                .refused = 5,
                                                .not_needed = 3,
                                                .failed = 1,
                                                .boosted = {{1, 3}, {7, 1}}};
  return counts;
}

Result<std::vector<host::VcpuCounts>> Read(const json& trial) {
  return ObservedFromJson(JsonFields::Of(trial, "trial").value());
}

json Written(const std::vector<host::VcpuCounts>& observed) {
  json vcpus = json::array();
  for (size_t i = 0; i < observed.size(); ++i) vcpus.push_back(json::object());
  ObservedToJson(observed, vcpus);
  return {{"vcpus", vcpus}};
}

TEST(ObservedJson, EverythingComesBack) {
  host::VcpuCounts little;
  little.window = host::WindowTrack();
  const std::vector<host::VcpuCounts> observed = {Everything(), little};
  const auto read = Read(Written(observed));
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(*read, observed);
}

TEST(ObservedJson, ATrackSaysWhatItLeftOut) {
  host::VcpuCounts counts;
  counts.window = Track(3, 2, 7);
  const json window = Written({counts})["vcpus"][0]["window"];
  EXPECT_EQ(window["changes"], 12);
  EXPECT_EQ(window["left_out"], 7);
  EXPECT_EQ(window["left_out_after"], 3);
  EXPECT_EQ(window["first"], 0);
  EXPECT_EQ(window["last"], 500);
  EXPECT_EQ(window["max"], 9999);
  EXPECT_EQ(window["track"][0], json({-1, 0, 100}));
  counts.window = Track(3, 0, 0);
  EXPECT_FALSE(Written({counts})["vcpus"][0]["window"].contains("left_out"));
}

TEST(ObservedJson, OlderRecordsHaveNone) {
  const auto read = Read({{"vcpus", {{{"spins", 3}}}}});
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->empty());
}

TEST(ObservedJson, NamesTheFieldThatIsWrong) {
  const json good = Written({Everything()});
  const auto error_with = [&](const json::json_pointer& at, const json& value) {
    json bad = good;
    bad["vcpus"][0][at] = value;
    const auto read = Read(bad);
    return read ? "no error" : read.error().message;
  };
  using Pointer = json::json_pointer;
  EXPECT_THAT(error_with(Pointer("/pause_exits"), "many"), HasSubstr("pause_exits"));
  EXPECT_THAT(error_with(Pointer("/window/track/1"), json({1, 2})), HasSubstr("track"));
  EXPECT_THAT(error_with(Pointer("/window/track/1/2"), 1ULL << 32), HasSubstr("track"));
  EXPECT_THAT(error_with(Pointer("/window/track/1/0"), 0.5), HasSubstr("track"));
  EXPECT_THAT(error_with(Pointer("/window/track"), "x"), HasSubstr("track"));
  EXPECT_THAT(error_with(Pointer("/window/changes"), 2), HasSubstr("changes"));
  EXPECT_THAT(error_with(Pointer("/exit_times/PAUSE_INSTRUCTION/min_ns"), -1), HasSubstr("min_ns"));
  EXPECT_THAT(error_with(Pointer("/directed_yields/boosted"), json({{"x", 1}})),
              HasSubstr("boosted"));
}

}  // namespace
}  // namespace plectl::experiment
