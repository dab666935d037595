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
// controller, disks, and their file system.
inline constexpr std::array<std::string_view, 2> kKvmModules = {"kvm-intel", "kvm-amd"};
inline constexpr std::array<std::string_view, 3> kDiskModules = {"ata_piix", "sd_mod", "ext4"};

// Puts the modules in `directory` (lib/modules/RELEASE, wherever that stands; only read) where
// depmod(8) looks below `staged`, with its indexes. Those that gzip packed are unpacked there:
// Debian's depmod reads none (kmod is built without zlib).
Status StageModules(const std::filesystem::path& directory, const std::string& release,
                    const std::filesystem::path& staged);

// Copies those of `modules` that are modules of this kernel, and all that they depend on, from what
// StageModules() made to `to`, below lib/modules in both; what is built in, or not there at all, is
// left out. What arrives is neither compressed nor burdened with debug information or the names of
// local data (BTF and the names of functions stay), and has the indexes of depmod.
Status CopyModules(const std::filesystem::path& staged, const std::filesystem::path& to,
                   const std::string& release, const std::vector<std::string>& modules);

// Decompresses a file named *.xz, *.zst or *.gz, which is replaced.
Status Decompress(const std::filesystem::path& file);

// The names of the functions in what `nm` prints, one per line.
std::string FunctionsIn(std::string_view nm_output);

// The files of `modules` (names with '-', without ".ko") and all that they depend on, sorted, from
// a modules.dep. They may be compressed (".ko.xz"). One that is not there is left out.
std::vector<std::string> ParseModuleFiles(std::string_view modules_dep,
                                          const std::vector<std::string>& modules);

}  // namespace plectl::lab
