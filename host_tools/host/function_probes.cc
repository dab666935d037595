// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/function_probes.h"

namespace plectl::host {

std::string FunctionProbesOffBecause(const HostRoot& root) {
  // A kernel without the file has no ftrace: its kprobes are breakpoints.
  const auto enabled = root.ReadTrimmed("/proc/sys/kernel/ftrace_enabled");
  if (!enabled || *enabled != "0") return {};
  return "kernel.ftrace_enabled is 0, so probes of kernel functions do not run";
}

}  // namespace plectl::host
