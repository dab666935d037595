// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/base/stop.h"
#include "host_tools/host/kprobe_list.h"
#include "host_tools/host/load_note.h"
#include "host_tools/host/load_obstacles.h"
#include "host_tools/host/module_holders.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

constexpr auto kUnusedTimeout = std::chrono::seconds(2);
// How often to look: at first for the last references of a VM that is closed already.
constexpr std::chrono::nanoseconds kSoon = std::chrono::milliseconds(5);
constexpr std::chrono::nanoseconds kLater = std::chrono::milliseconds(200);

// What brings the host back is tried also after a stop was requested.
Status CheckRestorable(const HostRoot& root, KvmModule module, std::chrono::seconds patience) {
  Status reloadable =
      AwaitReloadable(root, module, StopSignal::requested() ? std::chrono::seconds(0) : patience);
  return reloadable || !StopSignal::requested() ? reloadable : CheckReloadable(root, module);
}

// The host must come back, whoever traces it by now.
void WarnOfKprobes(const HostRoot& root, KvmModule module) {
  const Status none = CheckNoKprobesOn(root, module);
  if (!none) fmt::print(stderr, "plectl: warning: {}, and do now\n", none.error().message);
}

// A note of our last load must not outlive it; one that is not unloaded keeps it.
Status UnloadOurs(const HostRoot& root, ModuleLoader& loader, KvmModule module) {
  const bool noted = root.Exists(kLoadNotePath) && !IsLoadedByAnother(root, module);
  PLECTL_RETURN_IF_ERROR(ForgetOurLoad(root));
  Status unloaded = loader.Unload(module);
  if (!unloaded && noted) NoteOurLoad(root, module);
  return unloaded;
}

Result<BroughtBack> LeftAlone(const HostRoot& root, KvmModule module,
                              const ParamValues& originals) {
  PLECTL_ASSIGN_OR_RETURN(ParamValues current, ReadParams(root, module));
  const std::vector<std::string> differences = Differences(originals, current);
  std::string because = fmt::format(
      "{} was loaded anew by something else since plectl changed it, and is left as it "
      "is: {}",
      ModuleName(module), fmt::join(differences, ", "));
  if (differences.empty()) because.clear();
  return BroughtBack{std::move(current), std::move(because)};
}

}  // namespace

Status CheckReloadable(const HostRoot& root, KvmModule module) {
  if (!IsBuiltIn(root, module)) {
    PLECTL_RETURN_IF_ERROR(CheckKernelLoads(root, module));
    return WaitUntilUnused(root, module, kUnusedTimeout);
  }
  const std::string_view name = ModuleName(module);
  return Environment(
      fmt::format("{} is built into this kernel and cannot be reloaded", name),
      fmt::format("set its parameters on the kernel command line, e.g. {}.{}={}, and reboot", name,
                  PleParams(module).front().name, PleParams(module).front().kernel_default));
}

WaitClock WaitClock::Real() {
  return {MonotonicNs, [](std::chrono::nanoseconds time) { std::this_thread::sleep_for(time); }};
}

Status AwaitReloadable(const HostRoot& root, KvmModule module, std::chrono::seconds patience,
                       const WaitClock& clock) {
  if (patience.count() == 0 || IsBuiltIn(root, module)) return CheckReloadable(root, module);
  PLECTL_RETURN_IF_ERROR(CheckKernelLoads(root, module));
  const int64_t deadline_ns = clock.now_ns() + std::chrono::nanoseconds(patience).count();
  while (true) {
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
    // Somebody who reloads it himself may have it unloaded just now.
    const auto references = ModuleReferences(root, module);
    if (!references && IsLoaded(root, module)) return Fail(references.error());
    if (references && references->value_or(0) == 0) return OkStatus();
    const std::chrono::nanoseconds left(deadline_ns - clock.now_ns());
    if (left.count() <= 0) break;
    const bool at_first = left > std::chrono::nanoseconds(patience) - kUnusedTimeout;
    clock.sleep(std::min(at_first ? kSoon : kLater, left));
  }
  const Status unused = WaitUntilUnused(root, module, std::chrono::milliseconds(0));
  if (unused) return OkStatus();
  return Fail(WithContext(fmt::format("waited {} s", patience.count()), unused.error()));
}

Result<ParamValues> ReloadModule(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                                 const ParamValues& values) {
  if (IsLoaded(root, module)) PLECTL_RETURN_IF_ERROR(UnloadOurs(root, loader, module));
  PLECTL_RETURN_IF_ERROR(loader.Load(module, SettableValues(values)));
  NoteOurLoad(root, module);
  return ReadParams(root, module);
}

Result<BroughtBack> BringBack(const HostRoot& root, ModuleLoader& loader, KvmModule module,
                              const ParamValues& originals, std::chrono::seconds patience) {
  if (IsLoaded(root, module)) {
    PLECTL_ASSIGN_OR_RETURN(ParamValues current, ReadParams(root, module));
    if (Differences(originals, current).empty()) return BroughtBack{std::move(current), {}};
    if (!IsLoadedByAnother(root, module)) {
      PLECTL_RETURN_IF_ERROR(CheckRestorable(root, module, patience));
    }
    // Also while it was waited for.
    if (IsLoadedByAnother(root, module)) return LeftAlone(root, module, originals);
    PLECTL_RETURN_IF_ERROR(loader.CheckLoadable(module));
    WarnOfKprobes(root, module);
  }
  PLECTL_ASSIGN_OR_RETURN(ParamValues actual, ReloadModule(root, loader, module, originals));
  const std::vector<std::string> differences = Differences(originals, actual);
  if (differences.empty()) return BroughtBack{std::move(actual), {}};
  return Environment(fmt::format("{} does not take its original parameters back: {}",
                                 ModuleName(module), fmt::join(differences, ", ")),
                     "see dmesg; what only a reboot brings back needs a reboot");
}

Status CheckStillOurs(const HostRoot& root, KvmModule module) {
  if (!IsLoadedByAnother(root, module)) return OkStatus();
  return Environment(
      fmt::format("{} was loaded anew by something else while plectl was at work",
                  ModuleName(module)),
      "see who reloads it (journalctl, configuration management), then run the same command again");
}

}  // namespace plectl::host
