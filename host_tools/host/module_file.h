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

// The checks below are for before an unload: what could not be loaded again stays loaded.

// Environment error when the kernel loads no modules any more (kernel.modules_disabled), or when it
// takes signed modules only (sig_enforce, lockdown) and this one is not, or was not trusted when it
// was loaded.
Status CheckKernelLoads(const HostRoot& root, KvmModule module, const ModuleFile& file);

// Environment error when the file is of another kernel, or another build than what is loaded, by
// srcversion or, from what is unpacked with xz, zstd or gzip, by build ID. A file that cannot be
// unpacked here is compared by what is known.
Status CheckSameAsLoaded(const HostRoot& root, KvmModule module, const ModuleFile& file);

// Why the kernel takes signed modules only ("lockdown=integrity"), or "" when it takes any, as far
// as it lets us see.
std::string WhySignaturesAreNeeded(const HostRoot& root);

}  // namespace plectl::host
