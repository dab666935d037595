// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

// What each lab loads, and what one with a disk needs beyond that: the driver of the emulated ATA
// controller, and disks. ext4 is part of the kernel.
inline constexpr std::array<std::string_view, 2> kKvmModules = {"kvm-intel", "kvm-amd"};
inline constexpr std::array<std::string_view, 2> kDiskModules = {"ata_piix", "sd_mod"};

// Copies `modules` of kernel `release` and all that they depend on from an unpacked kernel
// package to `to`, below lib/modules in both. What arrives is neither compressed nor burdened with
// debug information or the names of local data (BTF and the names of functions stay), and has the
// indexes of depmod.
Status CopyModules(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::string& release, const std::vector<std::string>& modules);

// The names of the functions in what `nm` prints, one per line.
std::string FunctionsIn(std::string_view nm_output);

// The files of `modules` (names with '-', without ".ko") and all that they depend on, sorted, from
// a modules.dep. They may be compressed (".ko.xz"). BadInput when one is not there.
Result<std::vector<std::string>> ParseModuleFiles(std::string_view modules_dep,
                                                  const std::vector<std::string>& modules);

}  // namespace plectl::lab
