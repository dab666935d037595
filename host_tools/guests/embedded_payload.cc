// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/embedded_payload.h"

// From embedded_payload_elf.S.
extern "C" const uint8_t plectl_embedded_payload_begin[];
extern "C" const uint8_t plectl_embedded_payload_end[];

namespace plectl::guests {

Bytes EmbeddedPayloadElf() { return {plectl_embedded_payload_begin, plectl_embedded_payload_end}; }

}  // namespace plectl::guests
