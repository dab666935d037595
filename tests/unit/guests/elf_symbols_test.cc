// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/elf_symbols.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/guests/elf_builder.h"

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

Elf64_Sym Symbol(uint32_t name, uint8_t type, uint16_t section, uint64_t address, uint64_t size) {
  return {.st_name = name,
          .st_info = type,
          .st_other = 0,
          .st_shndx = section,
          .st_value = address,
          .st_size = size};
}

// A file of a header, two sections (symbols, names) and their headers; tests change what they like.
struct File {
  Elf64_Ehdr header{};
  std::vector<Elf64_Sym> symbols;
  std::string names{"\0beta\0alpha\0data\0", 17};
  Elf64_Shdr symbol_section{};
  Elf64_Shdr name_section{};

  File() {
    symbols = {Symbol(0, STT_NOTYPE, SHN_UNDEF, 0, 0), Symbol(1, STT_FUNC, 1, 0x2000, 0x10),
               Symbol(6, STT_NOTYPE, 1, 0x1000, 0), Symbol(12, STT_OBJECT, 2, 0x1800, 8),
               Symbol(12, STT_NOTYPE, SHN_ABS, 0x17, 0)};
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 2;
    symbol_section.sh_type = SHT_SYMTAB;
    symbol_section.sh_link = 1;
    symbol_section.sh_offset = sizeof(Elf64_Ehdr);
    symbol_section.sh_size = symbols.size() * sizeof(Elf64_Sym);
    name_section.sh_type = SHT_STRTAB;
    name_section.sh_offset = symbol_section.sh_offset + symbol_section.sh_size;
    name_section.sh_size = names.size();
    header.e_shoff = name_section.sh_offset + name_section.sh_size;
  }

  [[nodiscard]] std::vector<uint8_t> Bytes() const {
    std::vector<uint8_t> bytes;
    Append(bytes, ObjectBytes(header));
    for (const Elf64_Sym& symbol : symbols) Append(bytes, ObjectBytes(symbol));
    Append(bytes, {reinterpret_cast<const uint8_t*>(names.data()), names.size()});
    Append(bytes, ObjectBytes(symbol_section));
    Append(bytes, ObjectBytes(name_section));
    return bytes;
  }
  [[nodiscard]] std::string Error() const {
    const auto symbols_or_error = ReadSymbols(Bytes());
    return symbols_or_error ? "no error" : symbols_or_error.error().message;
  }
};

TEST(ElfSymbols, AreTheCodeByAddress) {
  const auto symbols = ReadSymbols(File().Bytes());
  ASSERT_TRUE(symbols) << symbols.error().Text();
  ASSERT_EQ(symbols->size(), 2U);
  EXPECT_EQ((*symbols)[0].name, "alpha");
  EXPECT_EQ((*symbols)[0].address, 0x1000U);
  EXPECT_EQ((*symbols)[1].name, "beta");
  EXPECT_EQ((*symbols)[1].size, 0x10U);
}

TEST(ElfSymbols, AStrippedFileHasNone) {
  File file;
  file.symbol_section.sh_type = SHT_PROGBITS;
  EXPECT_TRUE(ReadSymbols(file.Bytes()).value().empty());
  file.header.e_shnum = 0;
  file.header.e_shoff = UINT64_MAX;
  EXPECT_TRUE(ReadSymbols(file.Bytes()).value().empty());
}

TEST(ElfSymbols, SayWhatIsWrong) {
  File file;
  file.header.e_shoff = UINT64_MAX;
  EXPECT_THAT(file.Error(), HasSubstr("section header 0 is outside"));
  file = File();
  file.header.e_shentsize = 32;
  EXPECT_THAT(file.Error(), HasSubstr("section header size is 32"));
  file = File();
  file.symbol_section.sh_link = 2;
  EXPECT_THAT(file.Error(), HasSubstr("section header 2 is outside"));
  file = File();
  file.symbol_section.sh_size = UINT64_MAX;
  EXPECT_THAT(file.Error(), HasSubstr("table is outside"));
  file = File();
  file.symbols[1].st_name = 17;
  EXPECT_THAT(file.Error(), HasSubstr("outside of its string table"));
  file = File();
  file.names.back() = 'x';
  file.symbols[1].st_name = 15;
  EXPECT_THAT(file.Error(), HasSubstr("does not end"));
}

TEST(ElfSymbols, SurviveEveryTruncation) {
  const std::vector<uint8_t> bytes = File().Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ReadSymbols({bytes.data(), size})) << size;
  }
}

}  // namespace
}  // namespace plectl::guests
