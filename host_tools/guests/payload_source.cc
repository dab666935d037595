// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/payload_source.h"

#include <string>

#include "host_tools/base/given_file.h"
#include "host_tools/guests/embedded_payload.h"

namespace plectl::guests {

Result<PayloadImage> EmbeddedPayloads() {
  static const Result<PayloadImage> payloads = PayloadImage::Parse(EmbeddedPayloadElf());
  if (!payloads) return Fail(WithContext("embedded payload", payloads.error()));
  return payloads;
}

Result<PayloadImage> LoadPayloads(const std::filesystem::path& elf) {
  constexpr size_t kBytesMax = size_t{256} << 20;
  PLECTL_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadGivenFile(elf, kBytesMax, "give the path of a payload ELF"));
  auto payloads =
      PayloadImage::Parse({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  if (!payloads) return Fail(WithContext(elf.string(), payloads.error()));
  return payloads;
}

}  // namespace plectl::guests
