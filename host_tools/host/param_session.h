// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/param_journal.h"

namespace plectl::host {

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
  // all parameters as read back; an error when one differs from what was asked, or from what it was
  // without being asked. Refused before anything changes: unknown parameters, values that KVM would
  // mangle, a built-in module, a module in use. Not to be interrupted half-way: the caller's
  // signals must only set a flag (StopSignal). A load by somebody else before the first change
  // gives new originals; after it, it is an error, and is not undone.
  Result<ParamValues> Apply(const ParamValues& values);
  // Every parameter as it was right before the first change; until then as it was at Begin().
  [[nodiscard]] const ParamValues& originals() const;
  // How many reloads Apply() has done.
  [[nodiscard]] int reloads() const;
  // Reload the originals, read back and compare, clear the journal. Safe to call twice.
  // What somebody else has loaded since is left, with a note on stderr.
  Status Restore();
  // Before each reload, also that of Restore(), waits so long for the other users of the module to
  // go, instead of refusing after 2 s. A requested stop ends the waiting.
  void WaitForOthers(std::chrono::seconds patience);
  // From now on the destructor restores nothing: for `plectl params set`, which leaves its values
  // and the journal behind on purpose, so that `params restore` knows the originals.
  void KeepJournal();

 private:
  struct State;
  explicit ParamSession(std::unique_ptr<State> state);
  Status Journal(ParamJournal::State state);
  // Of what is right before the first change, the values that it shall have; nothing when they are
  // there already.
  Result<std::optional<ParamValues>> TakeOriginals(const ParamValues& values);
  Result<ParamValues> Reload(const ParamValues& target);
  std::unique_ptr<State> state_;
};

// `plectl params restore`: brings back what the journal holds and clears it. Must work after
// SIGKILL at any moment: module loaded, unloaded, or loaded with other values; it is safe to run
// twice. A journal of an earlier boot is only cleared: the reboot has undone the change, but for
// what was made to last (persisted_params.h), which is brought back too.
struct RestoreOptions {
  bool keep_persisted = false;       // leave what lasts
  std::chrono::seconds patience{0};  // for the users of the module to go
};
struct RestoreOutcome {
  bool restored = false;  // false when the journal was clean and nothing lasted
  KvmModule module = KvmModule::kIntel;
  ParamValues values;         // as they are now; empty when not restored, or when nothing is loaded
  std::string note;           // what the user should know, or empty
  bool removed_file = false;  // that made them last
  bool not_originals = false;  // what lasted was changed by somebody else, or is not known
};
Result<RestoreOutcome> RestoreFromJournal(const HostRoot& root, ModuleLoader& loader,
                                          const RestoreOptions& options = {});

// Puts /dev/kvm back as it was; "" or what could not be.
std::string RestoreDevice(const HostRoot& root, const std::optional<DeviceNode>& device);

}  // namespace plectl::host
