// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/elf_symbols.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>

namespace plectl::guests {
namespace {

// More than any payload has; bounds the work that a hostile file can ask for.
constexpr size_t kMaxSymbols = 65'536;

struct SymbolTable {
  Bytes symbols;
  Bytes names;
};

Result<Elf64_Shdr> ReadSection(Bytes file, const Elf64_Ehdr& header, size_t index) {
  const uint64_t offset = index * sizeof(Elf64_Shdr);
  if (index < header.e_shnum && header.e_shoff <= file.size()) {
    if (const auto section = ReadObject<Elf64_Shdr>(file.subspan(header.e_shoff), offset)) {
      return *section;
    }
  }
  return BadInput(fmt::format("ELF section header {} is outside of the file", index));
}

Result<Bytes> SectionBytes(Bytes file, const Elf64_Shdr& section) {
  if (const auto bytes = Slice(file, section.sh_offset, section.sh_size)) return *bytes;
  return BadInput("ELF symbol table is outside of the file: it is truncated");
}

Result<std::optional<SymbolTable>> FindTable(Bytes file) {
  const auto header = ReadObject<Elf64_Ehdr>(file, 0);
  if (!header) return BadInput("ELF file is truncated");
  if (header->e_shnum > 0 && header->e_shentsize != sizeof(Elf64_Shdr)) {
    return BadInput(fmt::format("ELF section header size is {}, not {}", header->e_shentsize,
                                sizeof(Elf64_Shdr)));
  }
  for (size_t i = 0; i < header->e_shnum; ++i) {
    PLECTL_ASSIGN_OR_RETURN(const Elf64_Shdr section, ReadSection(file, *header, i));
    if (section.sh_type != SHT_SYMTAB) continue;
    SymbolTable table;
    PLECTL_ASSIGN_OR_RETURN(table.symbols, SectionBytes(file, section));
    PLECTL_ASSIGN_OR_RETURN(const Elf64_Shdr names, ReadSection(file, *header, section.sh_link));
    PLECTL_ASSIGN_OR_RETURN(table.names, SectionBytes(file, names));
    return table;
  }
  return std::nullopt;
}

bool IsCode(const Elf64_Sym& symbol) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return (type == STT_FUNC || type == STT_NOTYPE) && symbol.st_shndx != SHN_UNDEF &&
         symbol.st_shndx < SHN_LORESERVE;
}

Result<std::string> NameAt(Bytes names, uint32_t offset) {
  if (offset >= names.size()) return BadInput("ELF symbol's name is outside of its string table");
  const auto* text = reinterpret_cast<const char*>(names.data() + offset);
  const size_t room = names.size() - offset;
  const size_t size = ::strnlen(text, room);
  if (size == room) return BadInput("ELF symbol's name does not end");
  return std::string(text, size);
}

}  // namespace

Result<std::vector<ElfSymbol>> ReadSymbols(Bytes file) {
  std::vector<ElfSymbol> symbols;
  PLECTL_ASSIGN_OR_RETURN(const std::optional<SymbolTable> table, FindTable(file));
  if (!table) return symbols;
  const size_t count = table->symbols.size() / sizeof(Elf64_Sym);
  if (count > kMaxSymbols) {
    return BadInput(fmt::format("ELF has {} symbols; at most {} are read", count, kMaxSymbols));
  }
  for (size_t i = 0; i < count; ++i) {
    const auto symbol = ReadObject<Elf64_Sym>(table->symbols, i * sizeof(Elf64_Sym)).value();
    if (!IsCode(symbol)) continue;
    PLECTL_ASSIGN_OR_RETURN(std::string name, NameAt(table->names, symbol.st_name));
    if (!name.empty()) symbols.push_back({symbol.st_value, symbol.st_size, std::move(name)});
  }
  std::ranges::sort(symbols, {}, [](const ElfSymbol& symbol) {
    return std::tie(symbol.address, symbol.size, symbol.name);
  });
  return symbols;
}

}  // namespace plectl::guests
