// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// Told what takes long, in a sentence.
using Progress = std::function<void(std::string_view)>;

// A kernel as the lab uses it: `directory` holds vmlinuz and lib/modules/RELEASE with KVM's modules
// and the indexes of depmod.
struct LabKernel {
  std::filesystem::path directory;
  std::string release;  // "6.1.0-56-cloud-amd64"
};

// The kernel of `choice` in the cache `lab_directory`, unless there is none or `update`: then the
// one that Debian's package linux-image-cloud-amd64 names is downloaded (apt-get download: no root,
// nothing is installed). Kernels of all choices stand side by side. The caller holds the cache's
// lock.
Result<LabKernel> EnsureKernel(const std::filesystem::path& lab_directory, LabKernelChoice choice,
                               bool update, const Progress& progress);

// The directory below which lib/modules of a lab with a disk lies: KVM's modules and kDiskModules.
// Taken from the same package again where an older plectl made the cache. The caller holds the
// cache's lock.
Result<std::filesystem::path> EnsureDiskModules(const std::filesystem::path& lab_directory,
                                                LabKernelChoice choice, const LabKernel& kernel,
                                                const Progress& progress);

// "linux-image-6.1.0-56-cloud-amd64" from what `apt-cache depends linux-image-cloud-amd64` prints.
std::optional<std::string> ParseKernelPackage(std::string_view output);

}  // namespace plectl::lab
