// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::lab {

// Where the programs and firmware that make and run the lab stand on this machine.
inline constexpr std::string_view kBusybox = "/bin/busybox";
inline constexpr std::string_view kBiosImage = "/usr/share/bochs/BIOS-bochs-latest";
inline constexpr std::string_view kVgaBiosImage = "/usr/share/bochs/VGABIOS-lgpl-latest";
inline constexpr std::string_view kIsolinux = "/usr/lib/ISOLINUX/isolinux.bin";
// The boot code of a disk that holds an ISO image.
inline constexpr std::string_view kDiskBootSector = "/usr/lib/ISOLINUX/isohdpfx.bin";
inline constexpr std::string_view kLdlinux = "/usr/lib/syslinux/modules/bios/ldlinux.c32";

// An Environment error that names everything that is missing and the Debian packages to install.
// `engine` as in LabOptions.
Status CheckRequiredFiles(const HostRoot& root, std::string_view engine);

// The file of an engine that is given as in LabOptions.
Result<std::filesystem::path> EngineFile(const HostRoot& root, std::string_view engine);

// The absolute path of a system program, also of one in /usr/sbin, which users' PATH lacks.
Result<std::filesystem::path> FindProgram(const HostRoot& root, std::string_view name);

}  // namespace plectl::lab
