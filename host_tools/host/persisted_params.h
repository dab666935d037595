// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/file.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// The one file in modprobe.d that is plectl's (modprobe.d(5)). Its first line says so.
inline constexpr std::string_view kPersistedPath = "/etc/modprobe.d/plectl.conf";
// What the values in it were before: a reboot does not undo what lasts, so this outlives it too.
inline constexpr std::string_view kPersistedRecordPath = "/var/lib/plectl/persisted.json";

// What `params set --persist` has made to last.
struct PersistedRecord {
  KvmModule module = KvmModule::kIntel;
  ParamValues originals;  // before it was made to last for the first time
  ParamValues values;     // as they last; the same names
};
std::string FormatPersistedRecord(const PersistedRecord& record);
// Nothing when nothing lasts; an Environment error for a damaged one.
Result<std::optional<PersistedRecord>> LoadPersistedRecord(const HostRoot& root);
Status RemovePersistedRecord(const HostRoot& root);

// An Environment error, before anything changes, when `values` of `module` cannot be made to last:
// another file of modprobe.d or the kernel command line sets one of them (named with its place), a
// file could not be looked into, or the file at kPersistedPath is not plectl's.
Status CheckPersistable(const HostRoot& root, KvmModule module, const ParamValues& values);

// `values` as what modprobe gives the module from its next load on, beside what plectl's file says
// already. All that can be refused is refused by Stage(), before the module is reloaded; Commit()
// only puts complete files in their places, the record first.
class StagedPersistence {
 public:
  // `originals`: what the module has now.
  static Result<StagedPersistence> Stage(const HostRoot& root, KvmModule module,
                                         const ParamValues& values, const ParamValues& originals);
  // Durable when it returns.
  Status Commit();

 private:
  StagedPersistence(StagedFile record, StagedFile file)
      : record_(std::move(record)), file_(std::move(file)) {}
  StagedFile record_;
  StagedFile file_;
};

// Removes plectl's file, durably. The values that it had; nothing when there is none. Environment
// error, and nothing removed, when the file there is not plectl's.
Result<std::optional<ParamValues>> RemovePersistedParams(const HostRoot& root);

}  // namespace plectl::host
