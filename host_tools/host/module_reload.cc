// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_reload.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "host_tools/base/clock.h"
#include "host_tools/base/stop.h"
#include "host_tools/host/module_holders.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

constexpr auto kUnusedTimeout = std::chrono::seconds(2);

}  // namespace

Status CheckReloadable(const HostRoot& root, KvmModule module) {
  if (!IsBuiltIn(root, module)) return WaitUntilUnused(root, module, kUnusedTimeout);
  const std::string_view name = ModuleName(module);
  return Environment(
      fmt::format("{} is built into this kernel and cannot be reloaded", name),
      fmt::format("set its parameters on the kernel command line, e.g. {}.{}={}, and reboot", name,
                  PleParams(module).front().name, PleParams(module).front().kernel_default));
}

Status AwaitReloadable(const HostRoot& root, KvmModule module, std::chrono::seconds patience) {
  constexpr std::chrono::milliseconds kPollInterval(200);
  const Stopwatch waited;
  while (true) {
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
    Status reloadable = CheckReloadable(root, module);
    if (reloadable || IsBuiltIn(root, module)) return reloadable;
    if (waited.ElapsedNs() > std::chrono::nanoseconds(patience).count()) {
      return Fail(WithContext(fmt::format("waited {} s", patience.count()), reloadable.error()));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<ParamValues> ReloadModule(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                                 const ParamValues& values) {
  if (IsLoaded(root, module)) PLECTL_RETURN_IF_ERROR(loader.Unload(module));
  PLECTL_RETURN_IF_ERROR(loader.Load(module, SettableValues(values)));
  return ReadParams(root, module);
}

Result<ParamValues> BringBack(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                              const ParamValues& originals) {
  if (IsLoaded(root, module)) {
    PLECTL_ASSIGN_OR_RETURN(ParamValues current, ReadParams(root, module));
    if (Differences(originals, current).empty()) return current;
    PLECTL_RETURN_IF_ERROR(CheckReloadable(root, module));
  }
  PLECTL_ASSIGN_OR_RETURN(ParamValues actual, ReloadModule(root, loader, module, originals));
  const std::vector<std::string> differences = Differences(originals, actual);
  if (differences.empty()) return actual;
  return Environment(fmt::format("{} does not take its original parameters back: {}",
                                 ModuleName(module), fmt::join(differences, ", ")),
                     "see dmesg; what only a reboot brings back needs a reboot");
}

}  // namespace plectl::host
