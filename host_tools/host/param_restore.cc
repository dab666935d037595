// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <utility>

#include "host_tools/host/host_lock.h"
#include "host_tools/host/module_reload.h"
#include "host_tools/host/param_session.h"
#include "host_tools/host/persisted_params.h"

namespace plectl::host {
namespace {

constexpr std::string_view kInitramfs =
    "where the initramfs loads KVM, run update-initramfs -u, or it brings them back";

// One run of RestoreFromJournal(), which holds the lock.
struct Restoring {
  const HostRoot& root;
  ModuleLoader& loader;
  const RestoreOptions& options;
  std::optional<ParamJournal> journal;
  std::optional<PersistedRecord> record;  // of what is not to last any more
  RestoreOutcome outcome;
};

void AddNote(RestoreOutcome& outcome, std::string_view note) {
  if (note.empty()) return;
  outcome.note += fmt::format("{}{}", outcome.note.empty() ? "" : "; ", note);
}

Status ReadValues(Restoring& r, KvmModule module) {
  r.outcome.restored = true;
  r.outcome.module = module;
  if (!IsLoaded(r.root, module)) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(r.outcome.values, ReadParams(r.root, module));
  return OkStatus();
}

// A reboot loads the module with the host's own configuration, so there is nothing to undo but what
// lasts. It may have been edited since: then the values differ from the journal's, and the user
// gets to know.
Status ForgetEarlierBoot(Restoring& r) {
  PLECTL_RETURN_IF_ERROR(ReadValues(r, r.journal->module));
  AddNote(r.outcome,
          "the host has booted since the change: its parameters are this boot's own, nothing was "
          "reloaded");
  if (!r.outcome.values.empty()) {
    const auto differences = Differences(r.journal->originals, r.outcome.values);
    if (!differences.empty()) {
      AddNote(r.outcome, fmt::format("since the earlier boot: {}", fmt::join(differences, ", ")));
    }
  }
  return ClearJournal(r.root);
}

Status UndoJournal(Restoring& r) {
  ParamJournal& journal = *r.journal;
  ParamValues originals = journal.originals;
  if (r.record && r.record->module == journal.module) {
    for (const auto& [name, value] : r.record->originals) originals[name] = value;
  }
  PLECTL_ASSIGN_OR_RETURN(
      BroughtBack back, BringBack(r.root, r.loader, journal.module, originals, r.options.patience));
  AddNote(r.outcome,
          back.left_because.empty() ? RestoreDevice(r.root, journal.device) : back.left_because);
  PLECTL_RETURN_IF_ERROR(CloseJournal(r.root, journal));
  r.outcome.restored = true;
  r.outcome.module = journal.module;
  r.outcome.values = std::move(back.values);
  return OkStatus();
}

enum class Lasting { kGone, kInForce, kReplaced };

// Whether what lasted is what the module has.
Lasting StateOf(const PersistedRecord& record, const ParamValues& current) {
  Lasting state = Lasting::kGone;
  for (const auto& [name, original] : record.originals) {
    const auto now = current.find(name);
    if (now == current.end() || now->second == original) continue;
    if (now->second != record.values.at(name)) return Lasting::kReplaced;
    state = Lasting::kInForce;
  }
  return state;
}

// This boot's module was loaded with what lasted: there is no journal of it yet, and there must be
// one before the module is unloaded.
Status UndoLasting(Restoring& r) {
  const PersistedRecord& record = *r.record;
  PLECTL_RETURN_IF_ERROR(ReadValues(r, record.module));
  if (r.outcome.values.empty()) return OkStatus();
  switch (StateOf(record, r.outcome.values)) {
    case Lasting::kGone:
      return OkStatus();
    case Lasting::kReplaced:
      r.outcome.not_originals = true;
      AddNote(r.outcome,
              fmt::format("something else has changed the parameters since, and they are left: {}",
                          fmt::join(Differences(record.originals, r.outcome.values), ", ")));
      return OkStatus();
    case Lasting::kInForce:
      break;
  }
  PLECTL_RETURN_IF_ERROR(CheckReloadable(r.root, record.module));
  PLECTL_RETURN_IF_ERROR(r.loader.CheckLoadable(record.module));
  PLECTL_ASSIGN_OR_RETURN(
      r.journal, JournalOf(r.root, record.module, r.outcome.values, ReadDeviceNode(r.root)));
  for (const auto& [name, value] : record.originals) {
    if (r.outcome.values.contains(name)) r.journal->originals[name] = value;
  }
  PLECTL_RETURN_IF_ERROR(WriteJournal(r.root, *r.journal));
  return UndoJournal(r);
}

// Its file first: a reboot must not bring back what the user wants gone.
Status TakeRecord(Restoring& r) {
  PLECTL_ASSIGN_OR_RETURN(r.record, LoadPersistedRecord(r.root));
  PLECTL_ASSIGN_OR_RETURN(const std::optional<ParamValues> lasted, RemovePersistedParams(r.root));
  r.outcome.removed_file = lasted.has_value();
  if (lasted) AddNote(r.outcome, kInitramfs);
  const bool unknown = lasted && !lasted->empty() && !r.record;
  if (!unknown || r.journal) return OkStatus();
  // Of a plectl before there were records.
  r.outcome.not_originals = true;
  std::vector<std::string> values;
  for (const auto& [name, value] : *lasted) values.push_back(fmt::format("{}={}", name, value));
  AddNote(r.outcome,
          fmt::format("what {} had replaced is not known: the module keeps {} until its next load",
                      kPersistedPath, fmt::join(values, " ")));
  return OkStatus();
}

}  // namespace

std::string RestoreDevice(const HostRoot& root, const std::optional<DeviceNode>& device) {
  if (!device) return {};
  WaitForUdev(root);
  const Status back = PutDeviceNodeBack(root, *device);
  return back ? "" : back.error().Text();
}

Result<RestoreOutcome> RestoreFromJournal(const HostRoot& root, ModuleLoader& loader,
                                          const RestoreOptions& options) {
  PLECTL_ASSIGN_OR_RETURN(const HostLock lock, HostLock::Acquire(root));
  Restoring r{root, loader, options, std::nullopt, std::nullopt, {}};
  PLECTL_ASSIGN_OR_RETURN(r.journal, LoadJournal(root));
  if (!options.keep_persisted) PLECTL_RETURN_IF_ERROR(TakeRecord(r));
  if (r.journal) {
    PLECTL_ASSIGN_OR_RETURN(const std::string boot_id, BootId(root));
    const bool earlier = boot_id != r.journal->boot_id;
    PLECTL_RETURN_IF_ERROR(earlier ? ForgetEarlierBoot(r) : UndoJournal(r));
    if (earlier) r.journal.reset();
  }
  if (!r.record) return std::move(r.outcome);
  if (!r.journal) PLECTL_RETURN_IF_ERROR(UndoLasting(r));
  PLECTL_RETURN_IF_ERROR(RemovePersistedRecord(root));
  return std::move(r.outcome);
}

}  // namespace plectl::host
