// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/base/host_root.h"

namespace plectl::host {

// "none", "voluntary", "full" or "lazy", as the running kernel has it; else "unknown: ...".
std::string PreemptionOf(const HostRoot& root);

// Whether another thread may get the CPU amid a function of the kernel, and so amid a BPF program
// at one (fentry, fexit: these leave preemption on, Linux 7.2's default). What the other thread
// runs through that program is skipped then (recursion_misses): not a loss that is rare, since it
// gets the CPU for a whole slice. A kprobe's program cannot be preempted. True where it is not
// known.
bool MayPreemptItself(const HostRoot& root);

}  // namespace plectl::host
