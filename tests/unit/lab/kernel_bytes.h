// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host_tools/lab/little_endian.h"

namespace plectl::lab {

inline void Put(std::string& bytes, size_t at, std::string_view what) {
  bytes.replace(at, what.size(), what);
}

inline std::string Number(size_t value) {
  std::string bytes;
  AppendLittleEndian(bytes, static_cast<uint32_t>(value));
  return bytes;
}

// A bzImage as the boot protocol describes it: one sector of setup, then the payload.
inline std::string Image(const std::string& version, const std::string& payload) {
  std::string image(1024, '\0');
  image[0x1f1] = 1;
  Put(image, 0x202, "HdrS");
  image[0x20e] = '\x80';  // + 512
  image[0x20f] = '\x01';
  Put(image, 0x248, Number(16));
  Put(image, 0x24c, Number(payload.size()));
  Put(image, 0x180 + 512, version + '\0');
  return image + std::string(16, 'c') + payload + "behind";
}

}  // namespace plectl::lab
