// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

// Copies KVM's modules of kernel `release` and all that they depend on from an unpacked kernel
// package to `to`, below lib/modules in both. What arrives is neither compressed nor burdened with
// debug information (BTF and symbols stay), and has the indexes of depmod.
Status CopyModules(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::string& release);

// The files of `modules` (names with '-', without ".ko") and all that they depend on, sorted, from
// a modules.dep. They may be compressed (".ko.xz"). BadInput when one is not there.
Result<std::vector<std::string>> ParseModuleFiles(std::string_view modules_dep,
                                                  const std::vector<std::string>& modules);

}  // namespace plectl::lab
