// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/soname.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace plectl::lab {
namespace {

// More than any linker makes; bounds the work that a broken file can ask for.
constexpr size_t kMaxDynamicEntries = 65536;

// The T at `offset`, or nothing when it is not all inside; no offset overflows.
template <class T>
std::optional<T> At(std::string_view content, uint64_t offset) {
  if (offset > content.size() || content.size() - offset < sizeof(T)) return std::nullopt;
  T object;
  std::memcpy(&object, content.data() + offset, sizeof object);
  return object;
}

std::optional<Elf64_Ehdr> SharedObjectHeader(std::string_view content) {
  const auto header = At<Elf64_Ehdr>(content, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != EM_X86_64 || header->e_type != ET_DYN) {
    return std::nullopt;
  }
  return header;
}

std::vector<Elf64_Phdr> Segments(std::string_view content, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> segments;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = At<Elf64_Phdr>(content, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) break;
    segments.push_back(*segment);
  }
  return segments;
}

// Where in the file lies what is loaded to `address`.
std::optional<uint64_t> FileOffset(const std::vector<Elf64_Phdr>& segments, uint64_t address) {
  for (const Elf64_Phdr& segment : segments) {
    const bool is_inside = segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
                           address - segment.p_vaddr < segment.p_filesz;
    if (is_inside) return segment.p_offset + (address - segment.p_vaddr);
  }
  return std::nullopt;
}

struct NameEntries {
  std::optional<uint64_t> strings_address;  // DT_STRTAB
  std::optional<uint64_t> soname_offset;    // DT_SONAME: in the strings
};

NameEntries ReadDynamic(std::string_view content, uint64_t offset) {
  NameEntries entries;
  for (size_t i = 0; i < kMaxDynamicEntries; ++i, offset += sizeof(Elf64_Dyn)) {
    const auto entry = At<Elf64_Dyn>(content, offset);
    if (!entry || entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) entries.strings_address = entry->d_un.d_ptr;
    if (entry->d_tag == DT_SONAME) entries.soname_offset = entry->d_un.d_val;
  }
  return entries;
}

}  // namespace

bool IsSharedObject(std::string_view content) { return SharedObjectHeader(content).has_value(); }

std::optional<std::string> SonameOf(std::string_view content) {
  const auto header = SharedObjectHeader(content);
  if (!header) return std::nullopt;
  const std::vector<Elf64_Phdr> segments = Segments(content, *header);
  NameEntries entries;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_DYNAMIC) entries = ReadDynamic(content, segment.p_offset);
  }
  if (!entries.strings_address || !entries.soname_offset) return std::nullopt;
  const auto strings = FileOffset(segments, *entries.strings_address);
  if (!strings || *strings + *entries.soname_offset >= content.size()) return std::nullopt;
  const std::string_view rest = content.substr(*strings + *entries.soname_offset);
  return std::string(rest.substr(0, rest.find('\0')));
}

}  // namespace plectl::lab
