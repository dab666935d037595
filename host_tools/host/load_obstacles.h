// SPDX-License-Identifier: Apache-2.0
// What keeps a KVM module from being loaded, found without trying: a module that could not be
// loaded again must not be unloaded.
#pragma once

#include <optional>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/module_file.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// Why the kernel would refuse the module, whoever asks.
struct LoadObstacle {
  std::string seen;  // "kernel.modules_disabled=1 (/etc/sysctl.d/hard.conf:3)"
  std::string step;  // how to get rid of it
};
// A state of the kernel: of a few small files.
std::optional<LoadObstacle> FindKernelObstacle(const HostRoot& root, KvmModule module);
// The module's file: unsigned where the kernel wants a signature, of another kernel or build.
std::optional<LoadObstacle> FindFileObstacle(const HostRoot& root, KvmModule module,
                                             const ModuleFile& file);
// Any of both, or that there is no file: what the doctor shows, and what keeps a loaded module from
// being unloaded. Reads the whole file.
std::optional<LoadObstacle> FindLoadObstacle(const HostRoot& root, KvmModule module);

// Environment error when the loaded module could not be loaded again: by the state of the kernel,
// which may have changed since the last reload, and by all that is known.
Status CheckKernelLoads(const HostRoot& root, KvmModule module);
Status CheckLoadableAgain(const HostRoot& root, KvmModule module);

// The step that loads a module that is not there: "sudo modprobe kvm_intel", or what is to be done
// before. `why_not` says what stands in the way, with file and line, or is empty.
struct LoadStep {
  std::string step;
  std::string why_not;
};
LoadStep HowToLoad(const HostRoot& root, KvmModule module);

// The next step after the kernel has answered EPERM to loading or unloading it.
std::string StepAfterEperm(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
