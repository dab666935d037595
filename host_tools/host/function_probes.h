// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// Empty, or why probes of kernel functions (fentry, fexit, kprobes: all of them are run by ftrace)
// never run now, though the kernel lets them be attached: kernel.ftrace_enabled is 0.
std::string FunctionProbesOffBecause(const HostRoot& root);

// What turns them on again.
inline constexpr const char* kFunctionProbesOnHint = "sudo sysctl kernel.ftrace_enabled=1";

}  // namespace plectl::host
