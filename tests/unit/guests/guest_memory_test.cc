// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/guest_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <vector>

namespace plectl::guests {
namespace {

constexpr size_t kSize = 8192;
constexpr uint64_t kHuge = ~uint64_t{0};

TEST(GuestMemory, IsZeroAndKeepsWhatIsWritten) {
  GuestMemory memory = GuestMemory::Create(kSize).value();
  EXPECT_EQ(memory.Read<uint32_t>(kSize - 4).value(), 0U);
  const std::vector<uint8_t> bytes = {1, 2, 3, 4};
  ASSERT_TRUE(memory.Write(kSize - 4, bytes));
  EXPECT_EQ(memory.Read<uint32_t>(kSize - 4).value(), 0x04030201U);
}

TEST(GuestMemory, PopulatingGivesRealPagesAndKeepsTheContent) {
  GuestMemory memory = GuestMemory::Create(4 * kSize).value();
  const std::vector<uint8_t> bytes = {1, 2, 3, 4};
  ASSERT_TRUE(memory.Write(kSize, bytes));
  ASSERT_TRUE(memory.Populate(kSize + 1, 3 * kSize));
  EXPECT_EQ(memory.Read<uint32_t>(kSize).value(), 0x04030201U);
  std::vector<unsigned char> present(4 * kSize / 4096);
  auto* address = reinterpret_cast<void*>(memory.host_address());
  ASSERT_EQ(::mincore(address, 4 * kSize, present.data()), 0);
  for (unsigned char& page : present) page &= 1U;
  EXPECT_EQ(present, (std::vector<unsigned char>{0, 0, 1, 1, 1, 1, 0, 0}));
  EXPECT_FALSE(memory.Populate(kSize, 4 * kSize + 1));
  EXPECT_FALSE(memory.Populate(2, 1));
}

TEST(GuestMemory, RefusesWhatIsNotAllInside) {
  GuestMemory memory = GuestMemory::Create(kSize).value();
  const std::vector<uint8_t> bytes(4);
  for (const uint64_t address : {uint64_t{kSize - 3}, uint64_t{kSize}, kHuge, kHuge - 3}) {
    EXPECT_FALSE(memory.Write(address, bytes)) << address;
    const auto read = memory.Read<uint32_t>(address);
    ASSERT_FALSE(read) << address;
    EXPECT_EQ(read.error().kind, ErrorKind::kInternal);
  }
}

}  // namespace
}  // namespace plectl::guests
