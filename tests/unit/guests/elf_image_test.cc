// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/elf_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/guests/elf_builder.h"

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

constexpr AddressRange kAllowed{0x100000, 0x200000};
constexpr uint64_t kHuge = ~uint64_t{0};

std::string ErrorOf(const ElfBuilder& elf) {
  const auto image = ParseElf(elf.Build(), kAllowed);
  if (image) return "no error";
  EXPECT_EQ(image.error().kind, ErrorKind::kBadInput);
  return image.error().message;
}

ElfBuilder OneSegment() {
  ElfBuilder elf;
  elf.Add(PT_LOAD, 0x100000, {1, 2, 3, 4}, 16);
  return elf;
}

TEST(ParseElf, GivesSegmentsByAddressAndNotes) {
  ElfBuilder elf;
  elf.Add(PT_LOAD, 0x101000, {5, 6}, 2);
  elf.Add(PT_LOAD, 0x100000, {1, 2, 3, 4}, 16);
  const std::vector<uint8_t> descriptor = {9, 8, 7};
  elf.Add(PT_NOTE, 0, NoteBytes("owner", 42, descriptor), 0);
  const std::vector<uint8_t> file = elf.Build();
  const auto image = ParseElf(file, kAllowed);
  ASSERT_TRUE(image) << image.error().Text();
  ASSERT_EQ(image->segments.size(), 2U);
  EXPECT_EQ(image->segments[0].address, 0x100000U);
  EXPECT_EQ(image->segments[0].memory_size, 16U);
  EXPECT_THAT(image->segments[0].bytes, ::testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(image->segments[1].bytes, ::testing::ElementsAre(5, 6));
  ASSERT_EQ(image->notes.size(), 1U);
  EXPECT_EQ(image->notes[0].owner, "owner");
  EXPECT_EQ(image->notes[0].type, 42U);
  EXPECT_THAT(image->notes[0].descriptor, ::testing::ElementsAre(9, 8, 7));
}

TEST(ParseElf, RefusesWhatIsNoX8664Executable) {
  ElfBuilder elf = OneSegment();
  elf.header.e_ident[0] = 'X';
  EXPECT_THAT(ErrorOf(elf), HasSubstr("not an ELF"));
  elf = OneSegment();
  elf.header.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("64-bit"));
  elf = OneSegment();
  elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("little-endian"));
  elf = OneSegment();
  elf.header.e_machine = EM_AARCH64;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("machine 183"));
  elf = OneSegment();
  elf.header.e_type = ET_DYN;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("type 3"));
}

TEST(ParseElf, RefusesBadProgramHeaderTables) {
  ElfBuilder elf = OneSegment();
  elf.header.e_phoff = kHuge;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("program headers are outside"));
  elf = OneSegment();
  elf.header.e_phoff = 0x1000;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("program headers are outside"));
  elf = OneSegment();
  elf.header.e_phentsize = 1;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("header size is 1"));
  elf = OneSegment();
  elf.header.e_phnum = 65;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("65 program headers"));
  EXPECT_THAT(ErrorOf(ElfBuilder()), HasSubstr("0 program headers"));
}

TEST(ParseElf, RefusesSegmentsOutsideOfGuestMemory) {
  for (const uint64_t address : {uint64_t{0}, uint64_t{0xfffff}, uint64_t{0x1ffff8}, kHuge}) {
    ElfBuilder elf;
    elf.Add(PT_LOAD, address, {1}, 16);
    EXPECT_THAT(ErrorOf(elf), HasSubstr("outside of guest memory")) << address;
  }
  ElfBuilder elf;
  elf.Add(PT_LOAD, 0x100000, {1}, kHuge);
  EXPECT_THAT(ErrorOf(elf), HasSubstr("outside of guest memory"));
}

TEST(ParseElf, RefusesSegmentsOutsideOfTheFile) {
  ElfBuilder elf = OneSegment();
  elf.programs[0].p_offset = kHuge;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("truncated"));
  elf = OneSegment();
  elf.programs[0].p_offset += 1;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("truncated"));
  elf = OneSegment();
  elf.programs[0].p_filesz = 17;
  EXPECT_THAT(ErrorOf(elf), HasSubstr("more bytes in the file"));
}

TEST(ParseElf, RefusesOverlapsAndNothingToLoad) {
  ElfBuilder elf = OneSegment();
  elf.Add(PT_LOAD, 0x10000f, {1}, 1);
  EXPECT_THAT(ErrorOf(elf), HasSubstr("overlap"));
  ElfBuilder nothing;
  nothing.Add(PT_LOAD, 0x100000, {}, 0);
  EXPECT_THAT(ErrorOf(nothing), HasSubstr("nothing to load"));
}

TEST(ParseElf, RefusesBadNotes) {
  ElfBuilder elf = OneSegment();
  elf.Add(PT_NOTE, 0, {1, 2, 3}, 0);
  EXPECT_THAT(ErrorOf(elf), HasSubstr("note is truncated"));
  elf = OneSegment();
  const Elf64_Nhdr hostile{0xffffffff, 0xffffffff, 1};
  const Bytes bytes = ObjectBytes(hostile);
  elf.Add(PT_NOTE, 0, {bytes.begin(), bytes.end()}, 0);
  EXPECT_THAT(ErrorOf(elf), HasSubstr("note is truncated"));
  elf = OneSegment();
  elf.Add(PT_NOTE, 0, std::vector<uint8_t>(65 * sizeof(Elf64_Nhdr)), 0);
  EXPECT_THAT(ErrorOf(elf), HasSubstr("more than 64 notes"));
}

TEST(ParseElf, SurvivesEveryTruncation) {
  ElfBuilder elf = OneSegment();
  elf.Add(PT_NOTE, 0, NoteBytes("owner", 1, {}), 0);
  const std::vector<uint8_t> file = elf.Build();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(ParseElf({file.data(), size}, kAllowed)) << size;
  }
}

}  // namespace
}  // namespace plectl::guests
