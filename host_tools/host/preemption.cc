// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/preemption.h"

#include <string_view>

#include "host_tools/base/text.h"

namespace plectl::host {

std::string PreemptionOf(const HostRoot& root) {
  const Result<std::string> choices = root.ReadTrimmed("/sys/kernel/debug/sched/preempt");
  if (choices) return ChosenOf(*choices);
  // Only a kernel that can change it has the file; of the others the name says it.
  const std::string version = root.ReadTrimmed("/proc/sys/kernel/version").value_or("");
  const bool dynamic = version.find("PREEMPT_DYNAMIC") != std::string::npos;
  if (dynamic || version.empty()) return "unknown: " + choices.error().message;
  if (version.find("PREEMPT_LAZY") != std::string::npos) return "lazy";
  return version.find("PREEMPT") != std::string::npos ? "full" : "none";
}

bool MayPreemptItself(const HostRoot& root) {
  const std::string preemption = PreemptionOf(root);
  return preemption != "none" && preemption != "voluntary";
}

}  // namespace plectl::host
