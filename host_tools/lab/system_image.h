// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/lab/archive.h"
#include "host_tools/lab/kernel_package.h"

namespace plectl::lab {

// The lab's system as an initramfs: busybox, the KVM modules, /init, and this very plectl with the
// shared libraries it needs. Without compression: the emulator unpacks it as fast, and archives
// that follow each other need no end marks. `disk_modules`: of a lab with a disk
// (EnsureDiskModules()).
Result<std::string> BuildSystemImage(
    const std::filesystem::path& lab_directory, const LabKernel& kernel,
    const std::optional<std::filesystem::path>& disk_modules = std::nullopt);

// The script that the lab's kernel starts. On a disk lie /disk, /var/lib and /etc/modprobe.d; it is
// there before KVM is loaded, which takes its options from there.
std::string InitScript(bool with_disk = false);

}  // namespace plectl::lab
