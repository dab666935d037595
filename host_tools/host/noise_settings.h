// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host_tools/base/count.h"
#include "host_tools/base/host_root.h"
#include "host_tools/host/noise_record.h"

namespace plectl::host {

// Settings of the host that someone may change under a trial, as the kernel's text. Empty: unknown.
struct NoiseSettings {
  std::string online_cpus;             // of the host: "0-3"
  std::string clocksource;             // "tsc"
  std::string cgroups;                 // plectl's, in all hierarchies
  std::vector<std::string> frequency;  // governor and limits of each measured CPU
};
NoiseSettings ReadNoiseSettings(const HostRoot& root, std::span<const int> cpus);

// Into `counts` what differs between both ends.
void CompareNoiseSettings(const NoiseSettings& start, const NoiseSettings& end,
                          NoiseCounts& counts);

// How long this host has been suspended since it booted.
Count SuspendedNs(const HostRoot& root);

}  // namespace plectl::host
