// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// What identifies a host for a measurement (docs/run_format.md, "host"):
//   cpu          vendor, model_name, family, model, stepping, microcode, ple (Intel) or
//                pausefilter and pfthreshold (AMD), hypervisor: whether it is virtual
//   cpus_online, smt, governor, no_turbo, clocksource, tsc_khz
//   kernel       release, build
//   kernel_fixes 32bd348be3fa and 79104becf42b: "yes", "no", "not_affected" or "unknown"
//   scheduler    what directed yields depend on (scheduler_facts.h)
//   module       name, built_in, params: every parameter
//   kvm_params   every parameter of the common module kvm (halt_poll_ns, ...)
//   mitigations  every file of /sys/devices/system/cpu/vulnerabilities
//   cgroup       our own: path, and its controllers
//   lab          the value of plectl.lab= on the kernel command line, or null on a real host
// What cannot be read is {"missing_because": ...}. The order of keys never changes.
nlohmann::json Fingerprint(const HostRoot& root);

}  // namespace plectl::host
