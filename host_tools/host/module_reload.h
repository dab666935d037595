// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// Environment error when a loaded module cannot be reloaded: built into the kernel, or in use (the
// message names by whom). Waits up to 2 s for the last references of VMs that are already closed.
Status CheckReloadable(const HostRoot& root, KvmModule module);

// Time as AwaitReloadable() sees it; tests have their own.
struct WaitClock {
  std::function<int64_t()> now_ns;
  std::function<void(std::chrono::nanoseconds)> sleep;
  static WaitClock Real();
};

// Waits until nobody uses the module, looking every 5 ms for 2 s, then every 200 ms, at most
// `patience`, or until a stop is requested (CheckNotStopped()). Afterwards the same errors as
// CheckReloadable(). New users may come in the very next moment: the kernel refuses then. Without
// patience it is CheckReloadable().
Status AwaitReloadable(const HostRoot& root, KvmModule module, std::chrono::seconds patience,
                       const WaitClock& clock = WaitClock::Real());

// Unloads the module if it is there, loads it with the settable ones of `values`, notes that load
// as ours (load_note.h) and reads all its parameters back. The caller has checked CheckReloadable()
// and the loader's CheckLoadable(), and written the journal.
Result<ParamValues> ReloadModule(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                                 const ParamValues& values);

// What BringBack() found and did.
struct BroughtBack {
  ParamValues values;        // as they are now
  std::string left_because;  // not empty: they are another's, and were left as they are
};

// Makes the module's parameters exactly `originals`, whatever its state: unloaded, or loaded with
// any values; does not touch it when they already are, or when somebody else has loaded it since we
// did. Waits for its users as AwaitReloadable(), but a requested stop only ends the waiting.
// Environment error that names each parameter that cannot be brought back.
Result<BroughtBack> BringBack(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                              const ParamValues& originals,
                              std::chrono::seconds patience = std::chrono::seconds(0));

// An Environment error when somebody else has loaded the module since we did, and has to know.
Status CheckStillOurs(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
