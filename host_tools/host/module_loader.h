// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// Unloads and loads one kernel module. The seam that lets unit tests run without root.
class ModuleLoader {
 public:
  ModuleLoader() = default;
  ModuleLoader(const ModuleLoader&) = delete;
  ModuleLoader& operator=(const ModuleLoader&) = delete;
  virtual ~ModuleLoader() = default;
  // Environment error when it could not be loaded again, were it unloaded now.
  virtual Status CheckLoadable(KvmModule module) = 0;
  // Environment error "busy" when something still uses it, or when it could not be loaded again.
  virtual Status Unload(KvmModule module) = 0;
  // Loads with exactly `values`, ignoring modprobe.d; its dependencies (kvm) are loaded as needed.
  virtual Status Load(KvmModule module, const ParamValues& values) = 0;
};

// The real one: libkmod on the running kernel's /lib/modules. Environment error for a recorded
// host: it has no module to reload, and this machine's must not be reloaded in its place.
Result<std::unique_ptr<ModuleLoader>> MakeKmodLoader(const HostRoot& root);

}  // namespace plectl::host
