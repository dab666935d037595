// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// A name that stands for code in an ELF file.
struct ElfSymbol {
  uint64_t address = 0;
  uint64_t size = 0;  // 0: not known
  std::string name;
};

// The functions and labels of its symbol table by ascending address; empty for a stripped file.
// BadInput when the table lies outside of the file or makes no sense. Safe on hostile input.
Result<std::vector<ElfSymbol>> ReadSymbols(Bytes file);

}  // namespace plectl::guests
