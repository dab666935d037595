// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "host_tools/base/count.h"
#include "host_tools/host/noise_record.h"

namespace plectl::host {

// Readers of the kernel's files on memory. Each fills in the quantities of its file: what the text
// does not say, or not in the form that the kernel writes, becomes a missing count.

// /proc/vmstat. Zones' allocation stalls are added up.
void ParseVmstat(std::string_view text, NoiseCounts& counts);

// /proc/zoneinfo: sums over the zones that have memory. The name of the zone that is closest to
// its low watermark, or "".
std::string ParseZoneinfo(std::string_view text, NoiseCounts& counts);

// "total=" of the line "some" or "full" of a file of /proc/pressure or a cgroup, in microseconds.
Count PressureTotalUs(std::string_view text, std::string_view line);

// Pages that memory.stat of a cgroup says were scanned, by kswapd or directly.
Count CgroupPagesScanned(std::string_view memory_stat);

// How often memory.events.local of a cgroup says its own memory.high or memory.max was hit.
Count CgroupLimitEvents(std::string_view memory_events);

}  // namespace plectl::host
