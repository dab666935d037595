// SPDX-License-Identifier: Apache-2.0
#include "tests/payloads/embedded.h"

// From embedded_elfs.S.
extern "C" const uint8_t hostile_guest_begin[];
extern "C" const uint8_t hostile_guest_end[];
extern "C" const uint8_t wrong_abi_guest_begin[];
extern "C" const uint8_t wrong_abi_guest_end[];

namespace plectl::guests {

Bytes HostileGuestElf() { return {hostile_guest_begin, hostile_guest_end}; }
Bytes WrongAbiGuestElf() { return {wrong_abi_guest_begin, wrong_abi_guest_end}; }

}  // namespace plectl::guests
