// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "host_tools/base/result.h"

namespace plectl::lab {

// What a boot image of the lab holds.
struct IsoContent {
  std::filesystem::path kernel;  // bzImage
  std::string system_image;      // initramfs archives
  std::string job_image;
  std::string kernel_command_line;
};

// Writes the file kIsoFile into `directory`, and uses the sub-directory "iso" of it. It boots as a
// CD and as a disk. The same content gives the same bytes.
Status WriteIso(const IsoContent& content, const std::filesystem::path& directory);

}  // namespace plectl::lab
