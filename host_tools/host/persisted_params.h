// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// The one file in modprobe.d that is plectl's (modprobe.d(5)). Its first line says so.
inline constexpr std::string_view kPersistedPath = "/etc/modprobe.d/plectl.conf";

// An Environment error, before anything changes, when `values` of `module` cannot be made to last:
// another file of modprobe.d or the kernel command line sets one of them (named with its place), a
// file could not be looked into, or the file at kPersistedPath is not plectl's.
Status CheckPersistable(const HostRoot& root, KvmModule module, const ParamValues& values);

// Makes `values` what modprobe gives the module from its next load on, beside what plectl's file
// says already. Durable when it returns, and never half-written.
Status PersistParams(const HostRoot& root, KvmModule module, const ParamValues& values);

// Removes plectl's file, durably. False when there is none. Environment error, and nothing removed,
// when the file there is not plectl's.
Result<bool> RemovePersistedParams(const HostRoot& root);

}  // namespace plectl::host
