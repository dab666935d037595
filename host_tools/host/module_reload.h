// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// Environment error when a loaded module cannot be reloaded: built into the kernel, or in use (the
// message names by whom). Waits up to 2 s for the last references of VMs that are already closed.
Status CheckReloadable(const HostRoot& root, KvmModule module);

// Waits until nobody uses the module, at most `patience`, or until a stop is requested
// (CheckNotStopped()). Afterwards the same errors as CheckReloadable(). New users may come in the
// very next moment: what reloads checks again.
Status AwaitReloadable(const HostRoot& root, KvmModule module, std::chrono::seconds patience);

// Unloads the module if it is there, loads it with the settable ones of `values` and reads all its
// parameters back. The caller has checked CheckReloadable() and written the journal.
Result<ParamValues> ReloadModule(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                                 const ParamValues& values);

// Makes the module's parameters exactly `originals`, whatever its state: unloaded, or loaded with
// any values; does not touch it when they already are. Environment error that names each parameter
// that cannot be brought back.
Result<ParamValues> BringBack(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                              const ParamValues& originals);

}  // namespace plectl::host
