// SPDX-License-Identifier: Apache-2.0
// Hostile payload ELFs: parsing and building the memory image must neither crash nor read or write
// out of bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "host_tools/guests/payload_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using plectl::guests::PayloadImage;
  using plectl::guests::RelaxInstruction;
  const auto image = PayloadImage::Parse({data, size});
  if (!image) return 0;
  const auto pause = image->Memory(RelaxInstruction::kPause, plectl_boot_block{});
  const auto nop = image->Memory(RelaxInstruction::kNop, plectl_boot_block{});
  for (const uint64_t site : image->relax_sites()) {
    if (!image->places().IsRelaxSite(site)) std::abort();
    (void)image->places().NameOf(site);
  }
  if (pause.bytes.size() != nop.bytes.size() || image->payloads().empty()) std::abort();
  return 0;
}
