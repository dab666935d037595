// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plectl::lab {

// The numbers of what crosses the lab's border: little-endian, 32 bits.
void AppendLittleEndian(std::string& bytes, uint32_t value);
// Of the first four bytes, which must be there.
uint32_t ReadLittleEndian(std::string_view bytes);

// CRC-32 (zlib's) of `bytes`, or of what `crc` was computed of with `bytes` appended.
uint32_t Crc32(std::string_view bytes, uint32_t crc = 0);

}  // namespace plectl::lab
