// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/device_node.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// What must be undone: written and fsynced before a module's parameters change for the first time,
// removed when they are the originals again (docs/safety.md).
struct ParamJournal {
  enum class State {
    kPlanned,   // the first reload may or may not have begun
    kApplied,   // the module has been loaded with other values
    kRestored,  // the module has the originals again: only the removal of the journal is missing
  };
  KvmModule module = KvmModule::kIntel;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id when it was written
  State state = State::kPlanned;
  ParamValues originals;   // every parameter of the module; never empty
  pid_t pid = 0;           // of the plectl that wrote it
  std::string written_at;  // UTC, ISO 8601
  std::string machine_id;  // of the host (MachineId()); empty when it has none
  std::optional<DeviceNode> device = std::nullopt;  // /dev/kvm before the first reload
};

// The host path of the journal.
inline constexpr std::string_view kJournalPath = "/var/lib/plectl/params.journal.json";

std::string FormatJournal(const ParamJournal& journal);
// Environment error that says what is wrong with the text: a damaged journal is never guessed at.
Result<ParamJournal> ParseJournal(std::string_view text);

// The journal, or nothing when it is clean. An Environment error when it is there but cannot be
// read, is damaged, or was written on another machine; the hint says how to go on by hand.
Result<std::optional<ParamJournal>> LoadJournal(const HostRoot& root);
// Durable when it returns.
Status WriteJournal(const HostRoot& root, const ParamJournal& journal);
// Durable when it returns; a clean journal stays clean.
Status ClearJournal(const HostRoot& root);
// For originals that are back: writes the state kRestored, durably, then clears the journal. That
// the state cannot be written, as on a full disk, does not keep it from being cleared.
Status CloseJournal(const HostRoot& root, ParamJournal& journal);

// A journal of this process, boot and machine in state kPlanned; not written yet.
Result<ParamJournal> JournalOf(const HostRoot& root, KvmModule module, const ParamValues& originals,
                               const std::optional<DeviceNode>& device);

// The id of the running boot.
Result<std::string> BootId(const HostRoot& root);

// The host's 32 hex digits of machine-id(5); empty when it has none, as early in its first boot.
std::string MachineId(const HostRoot& root);

// An Environment error while the journal is not clean: every host-changing command checks it.
Status CheckJournalClean(const HostRoot& root);

}  // namespace plectl::host
