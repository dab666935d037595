// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/kvm_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/kvm.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace plectl::guests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint32_t kNameSize = 48;
constexpr uint32_t kDescriptions = 64;
constexpr uint32_t kEntrySize = 16 + kNameSize;
constexpr uint32_t kData = 1024;

void Put(std::vector<uint8_t>& file, size_t at, Bytes bytes) {
  std::memcpy(file.data() + at, bytes.data(), bytes.size());
}

// A statistics file with the given names, the i-th at data offset 8 * i.
std::vector<uint8_t> File(const std::vector<std::string_view>& names) {
  std::vector<uint8_t> file(2048);
  const kvm_stats_header header{0,  kNameSize,     static_cast<uint32_t>(names.size()),
                                24, kDescriptions, kData};
  Put(file, 0, ObjectBytes(header));
  for (uint32_t i = 0; i < names.size(); ++i) {
    const size_t at = kDescriptions + i * kEntrySize;
    Put(file, at + 6, ObjectBytes(uint16_t{1}));
    Put(file, at + 8, ObjectBytes(uint32_t{8 * i}));
    std::memcpy(file.data() + at + 16, names[i].data(), names[i].size());
  }
  return file;
}

std::vector<std::string> NamesOf(const Result<std::vector<StatisticPlace>>& places) {
  std::vector<std::string> names;
  for (const StatisticPlace& place : places.value()) names.push_back(place.name);
  return names;
}

TEST(FindCumulativeStatistics, GivesTheValuesPlacesInTheFile) {
  const auto file = File({"halt_exits", "exits", "exits_more"});
  const auto places = FindCumulativeStatistics(file);
  ASSERT_TRUE(places) << places.error().Text();
  EXPECT_THAT(NamesOf(places), ElementsAre("halt_exits", "exits", "exits_more"));
  EXPECT_EQ((*places)[1].offset, kData + 8U);
}

TEST(FindCumulativeStatistics, LeavesOutStatesPeaksAndHistograms) {
  auto file = File({"a", "b", "c", "d"});
  Put(file, kDescriptions + 0 * kEntrySize, ObjectBytes(uint32_t{KVM_STATS_TYPE_INSTANT}));
  Put(file, kDescriptions + 1 * kEntrySize, ObjectBytes(uint32_t{KVM_STATS_TYPE_PEAK}));
  Put(file, kDescriptions + 2 * kEntrySize + 6, ObjectBytes(uint16_t{32}));
  EXPECT_THAT(NamesOf(FindCumulativeStatistics(file)), ElementsAre("d"));
}

TEST(FindCumulativeStatistics, SurvivesEveryTruncation) {
  const auto file = File({"a", "b", "exits"});
  for (size_t size = 0; size < kData + 3 * 8; ++size) {
    EXPECT_FALSE(FindCumulativeStatistics({file.data(), size})) << size;
  }
}

TEST(FindCumulativeStatistics, SurvivesHostileSizes) {
  auto file = File({"exits"});
  const kvm_stats_header header{0, ~0U, ~0U, ~0U, ~0U, ~0U};
  Put(file, 0, ObjectBytes(header));
  EXPECT_FALSE(FindCumulativeStatistics(file));
}

TEST(KvmStatistics, AreMissingWithTheirReason) {
  KvmStatistics statistics{Fd()};
  statistics.Begin();
  EXPECT_THAT(statistics.SinceBegin().missing_because, HasSubstr("KVM_GET_STATS_FD"));
  EXPECT_THAT(GrowthOf(statistics.SinceBegin(), "exits").missing_because(),
              HasSubstr("KVM_GET_STATS_FD"));
}

TEST(GrowthOf, SaysWhenThereIsNoSuchStatistic) {
  const StatisticGrowths growths{{{"exits", 5}}, ""};
  EXPECT_EQ(GrowthOf(growths, "exits"), Count(5));
  EXPECT_THAT(GrowthOf(growths, "halts").missing_because(), HasSubstr("no statistic \"halts\""));
}

}  // namespace
}  // namespace plectl::guests
