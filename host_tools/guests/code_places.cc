// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/code_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace plectl::guests {

CodePlaces::CodePlaces(std::vector<ElfSymbol> symbols, std::vector<uint64_t> relax_sites)
    : symbols_(std::move(symbols)), relax_sites_(std::move(relax_sites)) {
  std::ranges::sort(symbols_, {},
                    [](const ElfSymbol& symbol) { return std::tie(symbol.address, symbol.size); });
  std::ranges::sort(relax_sites_);
}

std::string CodePlaces::NameOf(uint64_t address) const {
  const auto after = std::ranges::upper_bound(symbols_, address, {}, &ElfSymbol::address);
  if (after == symbols_.begin()) return {};
  const ElfSymbol& symbol = *std::prev(after);
  const uint64_t offset = address - symbol.address;
  if (symbol.size != 0 && offset >= symbol.size) return {};
  return offset == 0 ? symbol.name : fmt::format("{}+{:#x}", symbol.name, offset);
}

bool CodePlaces::IsRelaxSite(uint64_t address) const {
  return std::ranges::binary_search(relax_sites_, address);
}

}  // namespace plectl::guests
