// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/program_identity.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace plectl::lab {
namespace {

constexpr size_t kNoteAlignment = 4;

size_t Padded(size_t size) { return (size + kNoteAlignment - 1) / kNoteAlignment * kNoteAlignment; }

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

// The build ID among the notes of a loaded segment.
std::optional<std::string> BuildIdIn(std::string_view notes) {
  ElfW(Nhdr) header;
  while (notes.size() >= sizeof header) {
    std::memcpy(&header, notes.data(), sizeof header);
    const size_t name_size = Padded(header.n_namesz);
    const size_t size = sizeof header + name_size + Padded(header.n_descsz);
    if (notes.size() < size) return std::nullopt;
    const std::string_view name = notes.substr(sizeof header, header.n_namesz);
    if (header.n_type == NT_GNU_BUILD_ID && name == std::string_view("GNU\0", 4)) {
      return Hex(notes.substr(sizeof header + name_size, header.n_descsz));
    }
    notes.remove_prefix(size);
  }
  return std::nullopt;
}

std::optional<std::string> BuildIdOf(const dl_phdr_info& object) {
  for (size_t i = 0; i < object.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as integers
    const char* notes = reinterpret_cast<const char*>(object.dlpi_addr + segment.p_vaddr);
    if (auto id = BuildIdIn({notes, segment.p_memsz})) return id;
  }
  return std::nullopt;
}

std::string SizeAndTime(const char* path) {
  struct stat status {};
  if (::stat(path, &status) != 0) return "unknown";
  return fmt::format("{} bytes of {}.{}", status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

int AddObject(dl_phdr_info* object, size_t /*size*/, void* text) {
  const bool is_program = *object->dlpi_name == '\0';
  const char* path = is_program ? "/proc/self/exe" : object->dlpi_name;
  if (std::string_view(object->dlpi_name).starts_with("linux-vdso")) return 0;
  const std::optional<std::string> id = BuildIdOf(*object);
  *static_cast<std::string*>(text) += fmt::format("{} {}\n", path, id ? *id : SizeAndTime(path));
  return 0;
}

}  // namespace

std::string ProgramIdentity() {
  std::string text;
  ::dl_iterate_phdr(AddObject, &text);
  return text;
}

}  // namespace plectl::lab
