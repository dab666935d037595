// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"

namespace plectl::lab {

// What a bzImage says of itself (Documentation/arch/x86/boot.rst). The bytes are not trusted.
struct ImageHeader {
  std::string release;       // first word of its version: "6.1.0-56-cloud-amd64"
  std::string build;         // "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-11-20)"
  std::string_view payload;  // the compressed kernel
};

// BadInput when the bytes are no bzImage of x86-64 Linux.
Result<ImageHeader> ParseImageHeader(std::string_view image);

// The release of the kernel in a file.
Result<std::string> ImageReleaseOf(const std::filesystem::path& file);

// What `uname -v` will say under it; BadInput when it does not say so.
Result<std::string> ImageBuildOf(const std::filesystem::path& file);

// The configuration that a kernel with CONFIG_IKCONFIG carries, from its decompressed bytes (or
// those of configs.ko). Nothing when there is none.
std::optional<std::string> EmbeddedConfig(std::string_view kernel);

// The configuration that the bzImage `file` carries; nothing when it has none, or is compressed in
// a way that no program here reads.
std::optional<std::string> ConfigInImage(const std::filesystem::path& file,
                                         const std::filesystem::path& scratch);

}  // namespace plectl::lab
