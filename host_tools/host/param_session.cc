// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/param_session.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <utility>

#include "host_tools/host/host_lock.h"
#include "host_tools/host/kprobe_list.h"
#include "host_tools/host/module_reload.h"
#include "host_tools/host/param_request.h"

namespace plectl::host {

struct ParamSession::State {
  HostRoot root;
  KvmModule module;
  std::unique_ptr<ModuleLoader> loader;
  HostLock lock;
  ParamValues originals;
  std::optional<ParamJournal> journal;  // as it is on disk; nothing while it is clean
  int reloads = 0;
  bool keep = false;
  std::chrono::seconds patience{0};
};

namespace {

std::string NowUtc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

Status CheckTaken(KvmModule module, const ParamValues& target, const ParamValues& actual) {
  const std::vector<std::string> differences = Differences(target, actual);
  if (differences.empty()) return OkStatus();
  return Environment(
      fmt::format("{} was reloaded, but {}", ModuleName(module), fmt::join(differences, ", ")),
      "see dmesg for why the kernel changed it");
}

}  // namespace

Result<ParamSession> ParamSession::Begin(const HostRoot& root, KvmModule module,
                                         std::unique_ptr<ModuleLoader> loader) {
  PLECTL_ASSIGN_OR_RETURN(HostLock lock, HostLock::Acquire(root));
  PLECTL_RETURN_IF_ERROR(CheckJournalClean(root));
  if (!IsLoaded(root, module)) {
    return Environment(fmt::format("{} is not loaded", ModuleName(module)),
                       fmt::format("sudo modprobe {}", ModuleName(module)));
  }
  PLECTL_ASSIGN_OR_RETURN(ParamValues originals, ReadParams(root, module));
  return ParamSession(std::make_unique<State>(
      State{root, module, std::move(loader), std::move(lock), std::move(originals), {}}));
}

ParamSession::ParamSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
ParamSession::ParamSession(ParamSession&&) noexcept = default;

ParamSession::~ParamSession() {
  if (!state_ || state_->keep) return;
  const Status restored = Restore();
  if (restored) return;
  fmt::print(stderr,
             "plectl: {} is not restored: {}\n  next step: {}; sudo plectl params restore\n",
             ModuleName(state_->module), restored.error().message, restored.error().hint);
}

Result<ParamValues> ParamSession::Apply(const ParamValues& values) {
  State& s = *state_;
  PLECTL_ASSIGN_OR_RETURN(const ParamValues target,
                          TargetValues(s.root, s.module, s.originals, values));
  if (IsLoaded(s.root, s.module)) {
    PLECTL_ASSIGN_OR_RETURN(ParamValues current, ReadParams(s.root, s.module));
    if (Differences(target, current).empty()) return current;
    PLECTL_RETURN_IF_ERROR(AwaitReloadable(s.root, s.module, s.patience));
    PLECTL_RETURN_IF_ERROR(CheckNoKprobesOn(s.root, s.module));
  }
  PLECTL_RETURN_IF_ERROR(Journal(ParamJournal::State::kPlanned));
  PLECTL_ASSIGN_OR_RETURN(ParamValues actual, ReloadModule(s.root, *s.loader, s.module, target));
  ++s.reloads;
  PLECTL_RETURN_IF_ERROR(Journal(ParamJournal::State::kApplied));
  PLECTL_RETURN_IF_ERROR(CheckTaken(s.module, target, actual));
  return actual;
}

// A state is written once per session, unless the journal could not be removed after a restore.
Status ParamSession::Journal(ParamJournal::State state) {
  State& s = *state_;
  const bool is_live = s.journal && s.journal->state != ParamJournal::State::kRestored;
  if (is_live && s.journal->state >= state) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(std::string boot_id, BootId(s.root));
  ParamJournal journal{s.module, std::move(boot_id), state, s.originals, ::getpid(),
                       NowUtc(), MachineId(s.root)};
  PLECTL_RETURN_IF_ERROR(WriteJournal(s.root, journal));
  s.journal = std::move(journal);
  return OkStatus();
}

const ParamValues& ParamSession::originals() const { return state_->originals; }
int ParamSession::reloads() const { return state_->reloads; }

Status ParamSession::Restore() {
  State& s = *state_;
  if (!s.journal) return OkStatus();
  PLECTL_RETURN_IF_ERROR(BringBack(s.root, *s.loader, s.module, s.originals, s.patience));
  PLECTL_RETURN_IF_ERROR(CloseJournal(s.root, *s.journal));
  s.journal.reset();
  return OkStatus();
}

void ParamSession::WaitForOthers(std::chrono::seconds patience) { state_->patience = patience; }

void ParamSession::KeepJournal() { state_->keep = true; }

}  // namespace plectl::host
