// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/lab/archive.h"
#include "host_tools/lab/kernel_package.h"

namespace plectl::lab {

// The lab's system as an initramfs: busybox, the KVM modules, /init, and this very plectl with the
// shared libraries it needs. Without compression: the emulator unpacks it as fast, and archives
// that follow each other need no end marks.
Result<std::string> BuildSystemImage(const std::filesystem::path& lab_directory,
                                     const LabKernel& kernel);

// The script that the lab's kernel starts.
std::string InitScript();

}  // namespace plectl::lab
