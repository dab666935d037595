// SPDX-License-Identifier: Apache-2.0
// What keeps a KVM module from being loaded, found without trying: a module that could not be
// loaded again must not be unloaded.
#pragma once

#include <optional>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// A state of the kernel in which it refuses the module, whoever asks.
struct LoadObstacle {
  std::string seen;  // "kernel.modules_disabled=1 (/etc/sysctl.d/hard.conf:3)"
  std::string step;  // how to get rid of it
};
std::optional<LoadObstacle> FindLoadObstacle(const HostRoot& root, KvmModule module);

// Environment error when the module is loaded and could not be loaded again.
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
