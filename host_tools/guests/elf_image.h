// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// What is loaded at physical `address`: the bytes of the file, then zeros up to `memory_size`.
struct ElfSegment {
  uint64_t address = 0;
  uint64_t memory_size = 0;
  Bytes bytes;
};

struct ElfNote {
  std::string owner;
  uint32_t type = 0;
  Bytes descriptor;
};

// The parts of an ELF that a loader needs. Points into the file, which must outlive it.
struct ElfImage {
  std::vector<ElfSegment> segments;  // PT_LOAD, not empty, by ascending address, never overlapping
  std::vector<ElfNote> notes;        // of all PT_NOTE segments
};

// Where segments may lie: [begin, end).
struct AddressRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Parses a 64-bit little-endian x86-64 executable (System V ABI, chapters 4 and 5). BadInput for
// anything else, for whatever lies outside of the file or of `allowed`, and for overlaps. Safe on
// hostile input.
Result<ElfImage> ParseElf(Bytes file, AddressRange allowed);

}  // namespace plectl::guests
