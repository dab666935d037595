// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/lab/lab_kernel.h"

namespace plectl::lab {

// In the directory of a finished kernel (kernel_package.h).
inline constexpr std::string_view kDiskTree = "disk";
inline constexpr std::string_view kConfigName = "config";

// Unpacks packages into one directory; those of debug information and of headers are left out.
// BadInput for what is damaged, for another kind of machine, or twice there.
Status UnpackDebs(const std::vector<std::filesystem::path>& debs,
                  const std::filesystem::path& directory);

// Takes what the lab needs of the kernel in `source` to `finished`. BadInput, naming `what`, when
// there is no kernel in it, or not all of one.
Status TakeKernelFiles(const std::filesystem::path& source, const std::string& what,
                       const std::filesystem::path& finished);

// Sixteen hex digits that change when one of the user's files does, by their contents: packages
// whole; of a directory the image, the configuration and the modules that a lab can take.
Result<std::string> IdentityOfFiles(const LabKernelChoice& choice);

}  // namespace plectl::lab
