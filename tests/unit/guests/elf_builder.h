// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/guests/bytes.h"

namespace plectl::guests {

inline void Append(std::vector<uint8_t>& bytes, Bytes more) {
  const size_t size = bytes.size();
  bytes.resize(size + more.size());
  if (!more.empty()) std::memcpy(bytes.data() + size, more.data(), more.size());
}

// Makes ELF files for tests: valid ones, and then whatever a test changes in the public fields.
class ElfBuilder {
 public:
  ElfBuilder() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phoff = sizeof(Elf64_Ehdr);
  }

  // Adds a segment whose bytes are `data`, loaded at `address` with `memory_size` bytes.
  Elf64_Phdr& Add(uint32_t type, uint64_t address, std::vector<uint8_t> data,
                  uint64_t memory_size) {
    Elf64_Phdr program{};
    program.p_type = type;
    program.p_paddr = program.p_vaddr = address;
    program.p_filesz = data.size();
    program.p_memsz = memory_size;
    program.p_offset = kDataOffset + payload_.size();
    Append(payload_, data);
    programs.push_back(program);
    return programs.back();
  }

  [[nodiscard]] std::vector<uint8_t> Build() const {
    Elf64_Ehdr final_header = header;
    if (final_header.e_phnum == 0) final_header.e_phnum = static_cast<uint16_t>(programs.size());
    std::vector<uint8_t> file(kDataOffset);
    std::memcpy(file.data(), &final_header, sizeof final_header);
    if (!programs.empty()) {
      std::memcpy(file.data() + sizeof final_header, programs.data(),
                  programs.size() * sizeof(Elf64_Phdr));
    }
    Append(file, payload_);
    return file;
  }

  Elf64_Ehdr header{};  // e_phnum is filled in unless a test has set it
  std::vector<Elf64_Phdr> programs;

 private:
  static constexpr size_t kDataOffset = 0x1000;
  std::vector<uint8_t> payload_;
};

// The bytes of one ELF note.
inline std::vector<uint8_t> NoteBytes(std::string_view owner, uint32_t type, Bytes descriptor) {
  const auto owner_size = static_cast<uint32_t>(owner.size() + 1);
  const Elf64_Nhdr header{owner_size, static_cast<uint32_t>(descriptor.size()), type};
  std::vector<uint8_t> note(sizeof header);
  std::memcpy(note.data(), &header, sizeof header);
  Append(note, {reinterpret_cast<const uint8_t*>(owner.data()), owner.size()});
  note.resize((note.size() + 1 + 3) / 4 * 4);
  Append(note, descriptor);
  note.resize((note.size() + 3) / 4 * 4);
  return note;
}

}  // namespace plectl::guests
