// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "host_tools/base/fd.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {

// Unloads and loads one kernel module. The seam that lets unit tests run without root.
class ModuleLoader {
 public:
  virtual ~ModuleLoader() = default;
  // Environment error "busy" when something still uses it.
  virtual Status Unload(KvmModule module) = 0;
  // Loads with exactly `values`, ignoring modprobe.d; its dependencies (kvm) are loaded as needed.
  virtual Status Load(KvmModule module, const ParamValues& values) = 0;
};

// The real one: libkmod on the running kernel's /lib/modules.
std::unique_ptr<ModuleLoader> MakeKmodLoader();

// Changes the parameters of one module and puts them back. The originals of all parameters are in
// the journal (/var/lib/plectl/params.journal.json), fsynced, before the first change; the
// destructor and Restore() reload the originals and clear the journal. Holds a lock against a
// second plectl from Begin() on. Nothing is journaled or reloaded while no value differs.
class ParamSession {
 public:
  // Environment error when the journal is not clean ("run plectl params restore"), when another
  // plectl is at work, or when the module is not loaded.
  static Result<ParamSession> Begin(const HostRoot& root, KvmModule module,
                                    std::unique_ptr<ModuleLoader> loader);
  ParamSession(ParamSession&&) noexcept;
  ParamSession& operator=(ParamSession&&) = delete;
  ParamSession(const ParamSession&) = delete;
  ParamSession& operator=(const ParamSession&) = delete;
  // Restores; a failure is written to stderr with the next step, since nothing else can be done.
  ~ParamSession();

  // Makes the module have `values` over the originals; reloads only when a value differs. Returns
  // all parameters as read back; an error when one differs from what was asked.
  Result<ParamValues> Apply(const ParamValues& values);
  // How many reloads Apply() has done.
  [[nodiscard]] int reloads() const;
  // Reload the originals, read back and compare, clear the journal. Safe to call twice.
  Status Restore();
  // Leaves the host as it is now and clears the journal: for `plectl params set`, which keeps the
  // journal dirty on purpose so that `params restore` knows the originals: it calls KeepJournal().
  void KeepJournal();

 private:
  struct State;
  explicit ParamSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// `plectl params restore`: brings back what the journal holds and clears it. `restored` is false
// when the journal was clean. Must work after SIGKILL at any moment: module loaded, unloaded, or
// loaded with other values; it is safe to run twice.
struct RestoreOutcome {
  bool restored = false;
  ParamValues values;
};
Result<RestoreOutcome> RestoreFromJournal(const HostRoot& root, ModuleLoader& loader);

// An Environment error while the journal is not clean: every host-changing command checks it.
Status CheckJournalClean(const HostRoot& root);

}  // namespace plectl::host
