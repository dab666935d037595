// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "host_tools/host/host_lock.h"
#include "host_tools/host/module_reload.h"
#include "host_tools/host/param_session.h"

namespace plectl::host {
namespace {

// A reboot loads the module with the host's own configuration, so there is nothing to undo. It may
// have been edited since: then the values differ from the journal's, and the user gets to know.
Result<RestoreOutcome> ForgetEarlierBoot(const HostRoot& root, const ParamJournal& journal) {
  RestoreOutcome outcome{true,
                         journal.module,
                         {},
                         "the host has booted since the change: its parameters are this boot's "
                         "own, nothing was reloaded"};
  if (IsLoaded(root, journal.module)) {
    PLECTL_ASSIGN_OR_RETURN(outcome.values, ReadParams(root, journal.module));
    const auto differences = Differences(journal.originals, outcome.values);
    if (!differences.empty()) {
      outcome.note += fmt::format("; since the earlier boot: {}", fmt::join(differences, ", "));
    }
  }
  PLECTL_RETURN_IF_ERROR(ClearJournal(root));
  return outcome;
}

}  // namespace

Result<RestoreOutcome> RestoreFromJournal(const HostRoot& root, ModuleLoader& loader) {
  PLECTL_ASSIGN_OR_RETURN(const HostLock lock, HostLock::Acquire(root));
  PLECTL_ASSIGN_OR_RETURN(std::optional<ParamJournal> journal, LoadJournal(root));
  if (!journal) return RestoreOutcome{};
  PLECTL_ASSIGN_OR_RETURN(const std::string boot_id, BootId(root));
  if (boot_id != journal->boot_id) return ForgetEarlierBoot(root, *journal);
  RestoreOutcome outcome{true, journal->module, {}, {}};
  PLECTL_ASSIGN_OR_RETURN(outcome.values,
                          BringBack(root, loader, journal->module, journal->originals));
  PLECTL_RETURN_IF_ERROR(CloseJournal(root, *journal));
  return outcome;
}

}  // namespace plectl::host
