// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/lab/apt.h"
#include "host_tools/lab/lab_kernel.h"

namespace plectl::lab {

// A kernel as the lab uses it: `directory` holds vmlinuz, lib/modules/RELEASE with KVM's modules
// and the indexes of depmod, and "config" when the configuration is known. Its name says which
// package, or which files, it came from.
struct LabKernel {
  std::filesystem::path directory;
  std::string release;  // "6.1.0-56-cloud-amd64"
};

// The kernel of `choice` in the cache `lab_directory`, unless there is none or `update`: then that
// of a Debian release is downloaded (its linux-image-cloud-amd64; no root, nothing is installed),
// and files are unpacked. Kernels of all choices stand side by side. The caller holds the cache's
// lock.
Result<LabKernel> EnsureKernel(const std::filesystem::path& lab_directory,
                               const LabKernelChoice& choice, bool update,
                               const Progress& progress);

// The directory below which lib/modules of a lab with a disk lies: KVM's modules and kDiskModules.
std::filesystem::path DiskModulesOf(const LabKernel& kernel);

// Its configuration as text; empty when it is not known.
std::string ConfigOf(const LabKernel& kernel);

// "linux-image-6.1.0-56-cloud-amd64" from what `apt-cache depends linux-image-cloud-amd64` prints.
std::optional<std::string> ParseKernelPackage(std::string_view output);

// `package` and the others that hold a part of the same kernel, from what `apt-cache depends
// PACKAGE` prints: Linux 7 came in linux-binary-RELEASE, linux-modules-RELEASE, linux-base-RELEASE.
std::vector<std::string> ParseKernelParts(std::string_view package, std::string_view output);

}  // namespace plectl::lab
