// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

// The kernel that a lab boots, as `--lab-kernel` names it: that of a Debian release, whatever this
// machine runs, or files of the user's.
struct LabKernelChoice {
  std::string name = "debian12";            // of a release (FindDebianRelease()); empty: files
  std::vector<std::filesystem::path> debs;  // packages as Debian or `make bindeb-pkg` writes them
  std::filesystem::path tree;               // a directory with a kernel image and its modules
  friend bool operator==(const LabKernelChoice&, const LabKernelChoice&) = default;
};

// Where Debian keeps the kernel of a choice: `suite` of its archive, and the suites that bring
// repairs to it.
struct DebianRelease {
  std::string_view name;      // "debian13-backports"
  std::string_view suite;     // "trixie-backports"
  std::string_view updates;   // "trixie-updates" in the same archive, or empty
  std::string_view security;  // "trixie-security" in the archive of security updates, or empty
};

// Nothing for any other name.
const DebianRelease* FindDebianRelease(std::string_view name);

// What the words of `--lab-kernel` mean. The old names 6.1 and backports are Debian 12's. BadInput
// that lists the names for any other word that is no file.
Result<LabKernelChoice> FindLabKernel(const std::vector<std::string>& words);

// For messages: "debian13", "a_1_amd64.deb, b_1_amd64.deb", "/kernels/mine".
std::string LabKernelName(const LabKernelChoice& choice);

}  // namespace plectl::lab
