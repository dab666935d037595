// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host_tools/guests/elf_symbols.h"

namespace plectl::guests {

// Tells what stands at an address of a payload's code.
class CodePlaces {
 public:
  CodePlaces() = default;
  // Both by ascending address or not.
  CodePlaces(std::vector<ElfSymbol> symbols, std::vector<uint64_t> relax_sites);

  // "ttas_acquire+0x12"; empty where no symbol is. Of several at one address the longest counts.
  [[nodiscard]] std::string NameOf(uint64_t address) const;
  [[nodiscard]] bool IsRelaxSite(uint64_t address) const;

 private:
  std::vector<ElfSymbol> symbols_;
  std::vector<uint64_t> relax_sites_;
};

}  // namespace plectl::guests
