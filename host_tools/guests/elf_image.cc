// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/elf_image.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace plectl::guests {
namespace {

// More than any linker makes; bounds the work that a hostile file can ask for.
constexpr uint16_t kMaxProgramHeaders = 64;
constexpr size_t kMaxNotes = 64;

Status CheckIdentity(const Elf64_Ehdr& header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return BadInput("not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return BadInput("not a 64-bit ELF file");
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return BadInput("not a little-endian ELF file");
  if (header.e_machine != EM_X86_64) {
    return BadInput(fmt::format("ELF machine {} is not x86-64 (62)", header.e_machine));
  }
  if (header.e_type != ET_EXEC) {
    return BadInput(fmt::format("ELF type {} is not an executable (2)", header.e_type),
                    "link the payload with -static, without -pie");
  }
  return OkStatus();
}

Status CheckProgramHeaderTable(const Elf64_Ehdr& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr)) {
    return BadInput(fmt::format("ELF program header size is {}, not {}", header.e_phentsize,
                                sizeof(Elf64_Phdr)));
  }
  if (header.e_phnum == 0 || header.e_phnum > kMaxProgramHeaders) {
    return BadInput(fmt::format("ELF has {} program headers, allowed are 1 to {}", header.e_phnum,
                                kMaxProgramHeaders));
  }
  return OkStatus();
}

Result<Elf64_Ehdr> ReadHeader(Bytes file) {
  const auto header = ReadObject<Elf64_Ehdr>(file, 0);
  if (!header) return BadInput(fmt::format("ELF file is truncated: {} bytes", file.size()));
  PLECTL_RETURN_IF_ERROR(CheckIdentity(*header));
  PLECTL_RETURN_IF_ERROR(CheckProgramHeaderTable(*header));
  return *header;
}

Result<Bytes> SegmentBytes(Bytes file, const Elf64_Phdr& header) {
  const auto bytes = Slice(file, header.p_offset, header.p_filesz);
  if (!bytes) {
    return BadInput(
        fmt::format("ELF segment at file offset {:#x} with {:#x} bytes is truncated: the "
                    "file has {:#x} bytes",
                    header.p_offset, header.p_filesz, file.size()));
  }
  return *bytes;
}

Status AddSegment(Bytes file, const Elf64_Phdr& header, AddressRange allowed, ElfImage& image) {
  if (header.p_memsz == 0) return OkStatus();
  if (header.p_filesz > header.p_memsz) {
    return BadInput(
        fmt::format("ELF segment at {:#x} has more bytes in the file ({:#x}) than in "
                    "memory ({:#x})",
                    header.p_paddr, header.p_filesz, header.p_memsz));
  }
  if (header.p_paddr < allowed.begin || header.p_paddr > allowed.end ||
      header.p_memsz > allowed.end - header.p_paddr) {
    return BadInput(
        fmt::format("ELF segment of {:#x} bytes at {:#x} is outside of guest memory "
                    "[{:#x}, {:#x})",
                    header.p_memsz, header.p_paddr, allowed.begin, allowed.end));
  }
  PLECTL_ASSIGN_OR_RETURN(const Bytes bytes, SegmentBytes(file, header));
  image.segments.push_back({header.p_paddr, header.p_memsz, bytes});
  return OkStatus();
}

uint64_t AlignedNoteSize(uint32_t size) { return (uint64_t{size} + 3) & ~uint64_t{3}; }

// Takes one note from the front of `rest`.
Result<ElfNote> TakeNote(Bytes& rest) {
  const auto header = ReadObject<Elf64_Nhdr>(rest, 0);
  if (!header) return BadInput("ELF note is truncated");
  const uint64_t descriptor_at = sizeof(Elf64_Nhdr) + AlignedNoteSize(header->n_namesz);
  const auto owner = Slice(rest, sizeof(Elf64_Nhdr), header->n_namesz);
  const auto descriptor = Slice(rest, descriptor_at, header->n_descsz);
  if (!owner || !descriptor) return BadInput("ELF note is truncated");
  const auto* text = reinterpret_cast<const char*>(owner->data());
  ElfNote note{std::string(text, ::strnlen(text, owner->size())), header->n_type, *descriptor};
  const uint64_t size = descriptor_at + AlignedNoteSize(header->n_descsz);
  rest = rest.subspan(std::min<uint64_t>(size, rest.size()));
  return note;
}

Status AddNotes(Bytes file, const Elf64_Phdr& header, ElfImage& image) {
  PLECTL_ASSIGN_OR_RETURN(Bytes rest, SegmentBytes(file, header));
  while (!rest.empty()) {
    PLECTL_ASSIGN_OR_RETURN(ElfNote note, TakeNote(rest));
    if (image.notes.size() == kMaxNotes) {
      return BadInput(fmt::format("ELF has more than {} notes", kMaxNotes));
    }
    image.notes.push_back(std::move(note));
  }
  return OkStatus();
}

Status CheckOverlaps(ElfImage& image) {
  auto& segments = image.segments;
  std::ranges::sort(segments, {}, &ElfSegment::address);
  for (size_t i = 1; i < segments.size(); ++i) {
    if (segments[i].address < segments[i - 1].address + segments[i - 1].memory_size) {
      return BadInput(fmt::format("ELF segments at {:#x} and {:#x} overlap",
                                  segments[i - 1].address, segments[i].address));
    }
  }
  return OkStatus();
}

}  // namespace

Result<ElfImage> ParseElf(Bytes file, AddressRange allowed) {
  PLECTL_ASSIGN_OR_RETURN(const Elf64_Ehdr header, ReadHeader(file));
  const auto table = Slice(file, header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  if (!table) return BadInput("ELF program headers are outside of the file: it is truncated");
  ElfImage image;
  for (size_t i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr program = ReadObject<Elf64_Phdr>(*table, i * sizeof(Elf64_Phdr)).value();
    if (program.p_type == PT_LOAD) {
      PLECTL_RETURN_IF_ERROR(AddSegment(file, program, allowed, image));
    } else if (program.p_type == PT_NOTE) {
      PLECTL_RETURN_IF_ERROR(AddNotes(file, program, image));
    }
  }
  if (image.segments.empty()) return BadInput("ELF file has nothing to load");
  PLECTL_RETURN_IF_ERROR(CheckOverlaps(image));
  return image;
}

}  // namespace plectl::guests
