// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/host/noise_sample.h"

namespace plectl::host {

// Fills in what cgroup v2 says of memory: /proc/vmstat does not count reclaim that a cgroup's limit
// causes (Linux 6.1, mm/vmscan.c). Of both versions, how CPU quotas throttled this process.
void ReadCgroupNoise(const HostRoot& root, NoiseSample& sample);

}  // namespace plectl::host
