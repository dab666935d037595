// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/param_session.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>
#include <utility>

#include "host_tools/host/host_lock.h"
#include "host_tools/host/kprobe_list.h"
#include "host_tools/host/load_note.h"
#include "host_tools/host/load_obstacles.h"
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
  std::optional<DeviceNode> device = std::nullopt;  // /dev/kvm before the first change
};

namespace {

// For as long as a reload by somebody else may take.
constexpr auto kBetweenTries = std::chrono::milliseconds(20);

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
    const LoadStep load = HowToLoad(root, module);
    return Environment(fmt::format("{} is not loaded{}", ModuleName(module),
                                   load.why_not.empty() ? "" : ": " + load.why_not),
                       load.step);
  }
  PLECTL_RETURN_IF_ERROR(ForgetOurLoad(root));  // of a session that is over
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
  if (s.journal) PLECTL_RETURN_IF_ERROR(CheckStillOurs(s.root, s.module));
  PLECTL_ASSIGN_OR_RETURN(const ParamValues target,
                          TargetValues(s.root, s.module, s.originals, values));
  if (IsLoaded(s.root, s.module)) {
    PLECTL_ASSIGN_OR_RETURN(ParamValues current, ReadParams(s.root, s.module));
    if (Differences(target, current).empty()) return current;
    PLECTL_RETURN_IF_ERROR(AwaitReloadable(s.root, s.module, s.patience));
    PLECTL_RETURN_IF_ERROR(CheckNoKprobesOn(s.root, s.module));
    PLECTL_RETURN_IF_ERROR(s.loader->CheckLoadable(s.module));
  }
  if (s.journal) {
    PLECTL_RETURN_IF_ERROR(CheckStillOurs(s.root, s.module));
    return Reload(target);
  }
  PLECTL_ASSIGN_OR_RETURN(const std::optional<ParamValues> fresh, TakeOriginals(values));
  return fresh ? Reload(*fresh) : ReadParams(s.root, s.module);
}

// Others may load the module until it is ours: while it was waited for, and while the journal was
// written.
Result<std::optional<ParamValues>> ParamSession::TakeOriginals(const ParamValues& values) {
  State& s = *state_;
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kBetweenTries);
    const uint64_t load = LoadNumber(s.root, s.module);
    Result<ParamValues> originals = ReadParams(s.root, s.module);
    if (!originals || LoadNumber(s.root, s.module) != load) continue;
    s.originals = *std::move(originals);
    PLECTL_ASSIGN_OR_RETURN(ParamValues target,
                            TargetValues(s.root, s.module, s.originals, values));
    if (Differences(target, s.originals).empty()) return std::optional<ParamValues>();
    s.device = ReadDeviceNode(s.root);
    PLECTL_RETURN_IF_ERROR(Journal(ParamJournal::State::kPlanned));
    if (LoadNumber(s.root, s.module) == load) return std::optional(std::move(target));
    PLECTL_RETURN_IF_ERROR(CloseJournal(s.root, *s.journal));
    s.journal.reset();
  }
  return Environment(
      fmt::format("{} is being reloaded by something else, or was unloaded", ModuleName(s.module)),
      "wait until that ends, then run the same command again");
}

Result<ParamValues> ParamSession::Reload(const ParamValues& target) {
  State& s = *state_;
  PLECTL_RETURN_IF_ERROR(Journal(ParamJournal::State::kPlanned));
  PLECTL_ASSIGN_OR_RETURN(ParamValues actual, ReloadModule(s.root, *s.loader, s.module, target));
  ++s.reloads;
  // Where udev has other ideas of the node, Restore() has the last word.
  if (s.device) static_cast<void>(PutDeviceNodeBack(s.root, *s.device).has_value());
  PLECTL_RETURN_IF_ERROR(Journal(ParamJournal::State::kApplied));
  PLECTL_RETURN_IF_ERROR(CheckTaken(s.module, target, actual));
  return actual;
}

// A state is written once per session, unless the journal could not be removed after a restore.
Status ParamSession::Journal(ParamJournal::State state) {
  State& s = *state_;
  const bool is_live = s.journal && s.journal->state != ParamJournal::State::kRestored;
  if (is_live && s.journal->state >= state) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(ParamJournal journal, JournalOf(s.root, s.module, s.originals, s.device));
  journal.state = state;
  PLECTL_RETURN_IF_ERROR(WriteJournal(s.root, journal));
  s.journal = std::move(journal);
  return OkStatus();
}

const ParamValues& ParamSession::originals() const { return state_->originals; }
int ParamSession::reloads() const { return state_->reloads; }

Status ParamSession::Restore() {
  State& s = *state_;
  if (!s.journal) return OkStatus();
  PLECTL_ASSIGN_OR_RETURN(const BroughtBack back,
                          BringBack(s.root, *s.loader, s.module, s.originals, s.patience));
  const std::string note =
      back.left_because.empty() ? RestoreDevice(s.root, s.device) : back.left_because;
  PLECTL_RETURN_IF_ERROR(CloseJournal(s.root, *s.journal));
  s.journal.reset();
  if (!note.empty()) fmt::print(stderr, "plectl: note: {}\n", note);
  return OkStatus();
}

void ParamSession::WaitForOthers(std::chrono::seconds patience) { state_->patience = patience; }

void ParamSession::KeepJournal() { state_->keep = true; }

}  // namespace plectl::host
