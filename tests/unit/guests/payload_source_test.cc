// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/payload_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/payloads/embedded.h"

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

std::filesystem::path WriteElf(const char* name, Bytes elf) {
  std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(elf.data()), static_cast<std::streamsize>(elf.size()));
  return path;
}

TEST(PayloadSource, HasTheEmbeddedPayloads) {
  const auto payloads = EmbeddedPayloads();
  ASSERT_TRUE(payloads) << payloads.error().Text();
  EXPECT_EQ(payloads->payloads().front().name, "token_ring");
}

TEST(PayloadSource, ReadsAnElfFile) {
  const auto payloads = LoadPayloads(WriteElf("hostile", HostileGuestElf()));
  ASSERT_TRUE(payloads) << payloads.error().Text();
  EXPECT_EQ(payloads->payloads().front().name, "hostile_hang");
}

TEST(PayloadSource, NamesTheFileInErrors) {
  const auto path = WriteElf("wrong_abi", WrongAbiGuestElf());
  const auto payloads = LoadPayloads(path);
  ASSERT_FALSE(payloads);
  EXPECT_EQ(payloads.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(payloads.error().message, HasSubstr(path.string()));
  const auto missing = LoadPayloads("/nonexistent/payload");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/payload"));
}

}  // namespace
}  // namespace plectl::guests
