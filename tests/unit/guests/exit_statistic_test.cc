// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/exit_statistic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/kvm.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace plectl::guests {
namespace {

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
    Put(file, at + 8, ObjectBytes(uint32_t{8 * i}));
    std::memcpy(file.data() + at + 16, names[i].data(), names[i].size());
  }
  return file;
}

TEST(FindStatistic, GivesTheValuesPlaceInTheFile) {
  const auto file = File({"halt_exits", "exits", "exits_more"});
  const auto offset = FindStatistic(file, "exits");
  ASSERT_TRUE(offset) << offset.error().Text();
  EXPECT_EQ(*offset, kData + 8U);
}

TEST(FindStatistic, SaysWhenThereIsNone) {
  const auto offset = FindStatistic(File({"halt_exits"}), "exits");
  ASSERT_FALSE(offset);
  EXPECT_THAT(offset.error().message, ::testing::HasSubstr("no statistic \"exits\""));
}

TEST(FindStatistic, SurvivesEveryTruncation) {
  const auto file = File({"a", "b", "exits"});
  for (size_t size = 0; size < kDescriptions + 3 * kEntrySize; ++size) {
    EXPECT_FALSE(FindStatistic({file.data(), size}, "exits")) << size;
  }
}

TEST(FindStatistic, SurvivesHostileSizes) {
  auto file = File({"exits"});
  const kvm_stats_header header{0, ~0U, ~0U, ~0U, ~0U, ~0U};
  Put(file, 0, ObjectBytes(header));
  EXPECT_FALSE(FindStatistic(file, "exits"));
}

TEST(ExitStatistic, IsMissingWithItsReason) {
  const ExitStatistic statistic{Fd()};
  EXPECT_FALSE(statistic.Read().has_value());
  EXPECT_THAT(statistic.Read().missing_because(), ::testing::HasSubstr("KVM_GET_STATS_FD"));
}

}  // namespace
}  // namespace plectl::guests
