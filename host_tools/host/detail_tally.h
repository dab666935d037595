// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "host_tools/host/bpf/exit_slots.h"
#include "host_tools/host/ple_params.h"
#include "host_tools/host/vcpu_counts.h"

namespace plectl::host {

// What the BPF programs write of one vCPU (bpf/exit_slots.h), as the record has it. Pure functions.
WindowTrack TrackOf(const WindowLog& log);
PauseRips RipsOf(const VcpuRips& rips);
DirectedYields YieldsOf(const VcpuYields& yields);
// `pending_slot_plus_1` is VcpuDetail::exit_slot_plus_1 at the end.
std::map<std::string, ExitTimes> TimesOf(KvmModule module, const VcpuTimes& times,
                                         uint64_t pending_slot_plus_1);

}  // namespace plectl::host
