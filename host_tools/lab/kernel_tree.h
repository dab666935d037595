// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "host_tools/base/result.h"

namespace plectl::lab {

// Where the parts of one kernel lie in a directory: an unpacked package, what `make
// modules_install` filled beside a bzImage, or a build tree.
struct KernelTree {
  std::string release;            // "7.3.4+deb13-cloud-amd64"
  std::filesystem::path image;    // bzImage
  std::filesystem::path modules;  // the directory RELEASE of lib/modules; empty: there is none
  std::filesystem::path config;   // its configuration; empty: there is none
};

// BadInput, naming `what`, when there is no image, or more than one kernel.
Result<KernelTree> FindKernelTree(const std::filesystem::path& directory, const std::string& what);

}  // namespace plectl::lab
