// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// Tells a load of ours from one by somebody else, whatever values either has: each load gets a new
// number of its folder in sysfs. The note of it lasts as long as the boot (/run).
inline constexpr std::string_view kLoadNotePath = "/run/plectl/loaded";

// The number of the module's present load; 0 when it is not loaded.
uint64_t LoadNumber(const HostRoot& root, KvmModule module);

// Before an unload: whoever finds no note takes what is loaded then for ours.
Status ForgetOurLoad(const HostRoot& root);
// After a load of ours. Where it cannot be noted, loads of others are not told from ours.
void NoteOurLoad(const HostRoot& root, KvmModule module);

// Whether the module was loaded by somebody else since our last load of it.
bool IsLoadedByAnother(const HostRoot& root, KvmModule module);

}  // namespace plectl::host
