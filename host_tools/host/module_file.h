// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// What the file says from which a module would be loaded again (modinfo(8)).
struct ModuleFile {
  std::filesystem::path path;  // .ko, or compressed: .ko.xz, .ko.zst, .ko.gz
  std::string srcversion;      // empty where the kernel's modules have none
  std::string vermagic;        // begins with the kernel's release
  bool is_signed = false;
};

// As the kernel would load it, by the index of the running kernel's modules. Environment error when
// there is none, or when it cannot be read.
Result<ModuleFile> FindModuleFile(const HostRoot& root, KvmModule module);

// Says that the file is of another kernel, or another build than what is loaded, by srcversion or,
// from what is unpacked with xz, zstd or gzip, by build ID; else "". A file that cannot be unpacked
// here is compared by what is known.
std::string WhyNotTheLoadedOne(const HostRoot& root, KvmModule module, const ModuleFile& file);

}  // namespace plectl::host
