// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/params_actions.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "host_tools/base/stop.h"
#include "host_tools/cli/command.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/module_reload.h"
#include "host_tools/host/param_request.h"
#include "host_tools/host/param_session.h"
#include "host_tools/host/persisted_params.h"

namespace plectl::cli {
namespace {

using host::KvmModule;
using host::ParamValues;

Result<ParamValues> ParseAssignments(const std::vector<std::string>& assignments) {
  ParamValues values;
  for (const std::string& assignment : assignments) {
    const size_t equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return BadInput(fmt::format("\"{}\" is not NAME=VALUE", assignment),
                      "write for example ple_window=8192");
    }
    const std::string name = assignment.substr(0, equals);
    if (!values.emplace(name, assignment.substr(equals + 1)).second) {
      return BadInput(fmt::format("{} is given twice", name), "give each parameter once");
    }
  }
  return values;
}

// What can be judged without looking at the host.
Status CheckInput(const ParamValues& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  PLECTL_ASSIGN_OR_RETURN(const std::optional<KvmModule> module, host::ModuleOfParams(names));
  if (!module) return BadInput("no parameters given", "write for example ple_window=8192");
  return host::CheckPleValues(*module, values);
}

void PrintChanges(const ParamValues& before, const ParamValues& after) {
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    if (old == before.end() || old->second == value) continue;
    fmt::print("{}: {} -> {}\n", name, old->second, value);
  }
}

Status DryRunSet(const HostRoot& root, KvmModule module, const ParamValues& values, bool persist) {
  PLECTL_RETURN_IF_ERROR(host::CheckJournalClean(root));
  PLECTL_ASSIGN_OR_RETURN(const ParamValues current, host::ReadParams(root, module));
  PLECTL_ASSIGN_OR_RETURN(const ParamValues target,
                          host::TargetValues(root, module, current, values));
  if (persist) fmt::print("would write {}\n", host::kPersistedPath);
  if (target == current) {
    fmt::print("{} has these values already: nothing to do\n", host::ModuleName(module));
    return OkStatus();
  }
  PLECTL_RETURN_IF_ERROR(host::CheckReloadable(root, module));
  fmt::print("would reload {}:\n", host::ModuleName(module));
  PrintChanges(current, target);
  return OkStatus();
}

std::string PlannedRestore(const HostRoot& root, const host::ParamJournal& journal,
                           const std::string& boot_id) {
  const std::string_view name = host::ModuleName(journal.module);
  if (boot_id != journal.boot_id) {
    return "would clear the journal only: the host has booted since, which undid the change";
  }
  if (!host::IsLoaded(root, journal.module)) {
    return fmt::format("would load {} with its original parameters", name);
  }
  const Result<ParamValues> current = host::ReadParams(root, journal.module);
  const auto differences = host::Differences(journal.originals, current ? *current : ParamValues());
  if (differences.empty()) {
    return fmt::format("would clear the journal only: {} has its original parameters", name);
  }
  return fmt::format("would reload {}: {}", name, fmt::join(differences, ", "));
}

Status DryRunRestore(const HostRoot& root, bool keep_persisted) {
  PLECTL_ASSIGN_OR_RETURN(const auto journal, host::LoadJournal(root));
  const bool persisted = !keep_persisted && root.Exists(host::kPersistedPath);
  if (persisted) fmt::print("would remove {}\n", host::kPersistedPath);
  if (!journal) {
    if (!persisted) fmt::print("nothing to restore\n");
    return OkStatus();
  }
  PLECTL_ASSIGN_OR_RETURN(const std::string boot_id, host::BootId(root));
  fmt::print("{}\n", PlannedRestore(root, *journal, boot_id));
  return OkStatus();
}

Result<std::optional<host::StagedPersistence>> StageIfAsked(const HostRoot& root,
                                                            const ParamsOptions& options,
                                                            KvmModule module,
                                                            const ParamValues& values,
                                                            const ParamValues& originals) {
  if (!options.persist) return std::nullopt;
  PLECTL_ASSIGN_OR_RETURN(host::StagedPersistence staged,
                          host::StagedPersistence::Stage(root, module, values, originals));
  return std::optional(std::move(staged));
}

// The change is not undone when it cannot be made to last: the user learns which half is done.
Status Persist(host::StagedPersistence& staged, KvmModule module) {
  if (Status written = staged.Commit(); !written) {
    return Fail(WithContext("the parameters are set until the module is loaded next, but not after",
                            written.error()));
  }
  fmt::print(stderr, "written: {} (run update-initramfs -u where the initramfs loads {})\n",
             host::kPersistedPath, host::ModuleName(module));
  return OkStatus();
}

void PrintRestored(const host::RestoreOutcome& outcome) {
  fmt::print("restored {}\n", host::ModuleName(outcome.module));
  for (const host::PleParam& param : host::PleParams(outcome.module)) {
    const auto found = outcome.values.find(std::string(param.name));
    if (found != outcome.values.end()) fmt::print("{}: {}\n", param.name, found->second);
  }
}

}  // namespace

Status SetParams(const HostRoot& root, const std::vector<std::string>& assignments,
                 const ParamsOptions& options) {
  PLECTL_ASSIGN_OR_RETURN(const ParamValues values, ParseAssignments(assignments));
  PLECTL_RETURN_IF_ERROR(CheckInput(values));
  PLECTL_ASSIGN_OR_RETURN(const KvmModule module, host::LoadedModule(root));
  if (options.persist) PLECTL_RETURN_IF_ERROR(host::CheckPersistable(root, module, values));
  if (options.dry_run) return DryRunSet(root, module, values, options.persist);
  PLECTL_ASSIGN_OR_RETURN(auto loader, host::MakeKmodLoader(root));
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  PLECTL_ASSIGN_OR_RETURN(host::ParamSession session,
                          host::ParamSession::Begin(root, module, std::move(loader)));
  session.WaitForOthers(options.wait);
  PLECTL_ASSIGN_OR_RETURN(std::optional<host::StagedPersistence> staged,
                          StageIfAsked(root, options, module, values, session.originals()));
  PLECTL_ASSIGN_OR_RETURN(const ParamValues after, session.Apply(values));
  PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  session.KeepJournal();
  PrintChanges(session.originals(), after);
  fmt::print(stderr, "{}\n",
             session.reloads() == 0 ? "these values were set already: nothing was reloaded"
                                    : "undo: sudo plectl params restore");
  return staged ? Persist(*staged, module) : OkStatus();
}

Result<int> RestoreParams(const HostRoot& root, const ParamsOptions& options) {
  if (options.dry_run) {
    PLECTL_RETURN_IF_ERROR(DryRunRestore(root, options.keep_persisted));
    return kExitFine;
  }
  PLECTL_ASSIGN_OR_RETURN(const auto loader, host::MakeKmodLoader(root));
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  PLECTL_ASSIGN_OR_RETURN(
      const host::RestoreOutcome outcome,
      host::RestoreFromJournal(root, *loader, {options.keep_persisted, options.wait}));
  if (outcome.removed_file) fmt::print("removed {}\n", host::kPersistedPath);
  if (outcome.not_originals) {
    fmt::print("{} does not have its original parameters\n", host::ModuleName(outcome.module));
  } else if (outcome.restored) {
    PrintRestored(outcome);
  } else if (!outcome.removed_file) {
    fmt::print("nothing to restore\n");
  }
  if (!outcome.note.empty()) fmt::print(stderr, "note: {}\n", outcome.note);
  return outcome.not_originals ? kExitNegativeVerdict : kExitFine;
}

}  // namespace plectl::cli
