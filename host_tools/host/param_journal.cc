// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/param_journal.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/host/host_lock.h"
#include "host_tools/host/load_note.h"

namespace plectl::host {
namespace {

constexpr int kSchema = 1;
constexpr unsigned kOwnerOnly = 0600;
constexpr std::array<std::string_view, 3> kStateNames = {"planned", "applied", "restored"};

std::string_view StateName(ParamJournal::State state) {
  return kStateNames.at(static_cast<size_t>(state));
}

Failure Damaged(std::string_view why) {
  return Environment(fmt::format("damaged parameter journal: {}", why),
                     fmt::format("compare `plectl params show` with the wanted values, reload the "
                                 "module by hand if they differ, then remove {}",
                                 kJournalPath));
}

Result<std::string> Text(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return Damaged(fmt::format("no text {}", key));
  std::string text = found->get<std::string>();
  if (text.empty()) return Damaged(fmt::format("{} is empty", key));
  return text;
}

// What a parameter's name can be in the kernel; anything else must not reach a module's options.
bool IsParamName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<ParamValues> Originals(const nlohmann::json& json) {
  const auto found = json.find("originals");
  if (found == json.end() || !found->is_object() || found->empty()) {
    return Damaged("no originals");
  }
  ParamValues originals;
  for (const auto& [name, value] : found->items()) {
    if (!IsParamName(name) || !value.is_string()) {
      return Damaged("originals hold something else than parameters");
    }
    originals.emplace(name, value.get<std::string>());
  }
  return originals;
}

Result<ParamJournal::State> State(const nlohmann::json& json) {
  PLECTL_ASSIGN_OR_RETURN(const std::string name, Text(json, "state"));
  const auto* const found = std::ranges::find(kStateNames, name);
  if (found != kStateNames.end()) {
    return static_cast<ParamJournal::State>(found - kStateNames.begin());
  }
  return Damaged(fmt::format("unknown state {}", name));
}

Result<pid_t> Pid(const nlohmann::json& json) {
  const auto found = json.find("pid");
  if (found == json.end() || !found->is_number_unsigned()) return Damaged("no pid");
  const uint64_t pid = found->get<uint64_t>();
  if (pid > static_cast<uint64_t>(std::numeric_limits<pid_t>::max())) return Damaged("no pid");
  return static_cast<pid_t>(pid);
}

bool IsMachineId(std::string_view text) {
  constexpr size_t kDigits = 32;
  return text.size() == kDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Journals of an older plectl, or of a host without one, do not have it.
Result<std::string> MachineIdIn(const nlohmann::json& json) {
  if (!json.contains("machine_id")) return std::string();
  PLECTL_ASSIGN_OR_RETURN(std::string id, Text(json, "machine_id"));
  if (!IsMachineId(id)) return Damaged("machine_id is none");
  return id;
}

nlohmann::json DeviceJson(const DeviceNode& device) {
  return {
      {"uid", device.uid}, {"gid", device.gid}, {"mode", device.mode}, {"xattrs", device.xattrs}};
}

// What it does not say cannot be put back, and is no reason to keep the parameters from it.
std::optional<DeviceNode> DeviceIn(const nlohmann::json& json) {
  const auto found = json.find("device");
  if (found == json.end() || !found->is_object()) return std::nullopt;
  DeviceNode device;
  for (const auto& [key, place] : {std::pair("uid", &device.uid), std::pair("gid", &device.gid),
                                   std::pair("mode", &device.mode)}) {
    const auto number = found->find(key);
    if (number == found->end() || !number->is_number_unsigned()) return std::nullopt;
    const uint64_t value = number->get<uint64_t>();
    if (value > std::numeric_limits<unsigned>::max()) return std::nullopt;
    *place = static_cast<unsigned>(value);
  }
  const auto xattrs = found->find("xattrs");
  if (xattrs == found->end() || !xattrs->is_object()) return device;
  for (const auto& [name, value] : xattrs->items()) {
    if (value.is_string()) device.xattrs.emplace(name, value.get<std::string>());
  }
  return device;
}

// A disk that was copied or moved to this machine brings the journal of another with it. What this
// one does not know of itself, it cannot compare.
Status CheckSameMachine(const HostRoot& root, const ParamJournal& journal) {
  const std::string here = MachineId(root);
  if (here.empty() || journal.machine_id.empty() || here == journal.machine_id) return OkStatus();
  return Environment(
      fmt::format("the parameter journal is of another host: it was written on machine {}, this is "
                  "{} (/etc/machine-id)",
                  journal.machine_id, here),
      fmt::format(
          "if it came with a copied disk, remove {}; if this host's machine-id was changed, "
          "compare `plectl params show` with its originals, reload the module by hand if "
          "they differ, then remove it",
          kJournalPath));
}

Status CheckSchema(const nlohmann::json& json) {
  if (!json.is_object()) return Damaged("not a JSON object");
  const auto found = json.find("schema");
  if (found == json.end() || !found->is_number_integer()) return Damaged("no schema");
  if (*found != kSchema) {
    return Environment(fmt::format("the parameter journal has schema {}, this plectl knows {}",
                                   found->dump(), kSchema),
                       "run the plectl that wrote it: plectl params restore");
  }
  return OkStatus();
}

}  // namespace

std::string FormatJournal(const ParamJournal& journal) {
  nlohmann::json json = {
      {"schema", kSchema},
      {"module", ModuleName(journal.module)},
      {"boot_id", journal.boot_id},
      {"state", StateName(journal.state)},
      {"originals", journal.originals},
      {"pid", journal.pid},
      {"written_at", journal.written_at},
  };
  if (!journal.machine_id.empty()) json["machine_id"] = journal.machine_id;
  if (journal.device) json["device"] = DeviceJson(*journal.device);
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<ParamJournal> ParseJournal(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Damaged("not JSON");
  PLECTL_RETURN_IF_ERROR(CheckSchema(json));
  ParamJournal journal;
  PLECTL_ASSIGN_OR_RETURN(const std::string module, Text(json, "module"));
  const std::optional<KvmModule> known = ModuleFromName(module);
  if (!known) return Damaged(fmt::format("unknown module {}", module));
  journal.module = *known;
  PLECTL_ASSIGN_OR_RETURN(journal.boot_id, Text(json, "boot_id"));
  PLECTL_ASSIGN_OR_RETURN(journal.state, State(json));
  PLECTL_ASSIGN_OR_RETURN(journal.originals, Originals(json));
  PLECTL_ASSIGN_OR_RETURN(journal.pid, Pid(json));
  PLECTL_ASSIGN_OR_RETURN(journal.written_at, Text(json, "written_at"));
  PLECTL_ASSIGN_OR_RETURN(journal.machine_id, MachineIdIn(json));
  journal.device = DeviceIn(json);
  return journal;
}

Result<std::optional<ParamJournal>> LoadJournal(const HostRoot& root) {
  // Only "not there" means clean; what cannot be looked at is an error of Read().
  std::error_code error;
  const auto status = std::filesystem::symlink_status(root.Path(kJournalPath), error);
  if (status.type() == std::filesystem::file_type::not_found) return std::optional<ParamJournal>();
  Result<std::string> text = root.Read(kJournalPath);
  if (!text) {
    text.error().hint = HintForState(root);
    return Fail(text.error());
  }
  Result<ParamJournal> journal = ParseJournal(*text);
  if (!journal) return Fail(WithContext(root.Path(kJournalPath).string(), journal.error()));
  PLECTL_RETURN_IF_ERROR(CheckSameMachine(root, *journal));
  return std::optional(*std::move(journal));
}

Status WriteJournal(const HostRoot& root, const ParamJournal& journal) {
  Status written = WriteFileAtomically(root.Path(kJournalPath), FormatJournal(journal), kOwnerOnly);
  if (!written && written.error().hint.empty()) written.error().hint = HintForState(root);
  return written;
}

Status ClearJournal(const HostRoot& root) { return RemoveFileDurably(root.Path(kJournalPath)); }

Status CloseJournal(const HostRoot& root, ParamJournal& journal) {
  journal.state = ParamJournal::State::kRestored;
  const Status noted = WriteJournal(root, journal);
  Status cleared = ClearJournal(root);
  // A note without a journal is of no use, and the next session forgets it.
  if (cleared) static_cast<void>(ForgetOurLoad(root).has_value());
  return noted || cleared ? cleared : noted;
}

Result<ParamJournal> JournalOf(const HostRoot& root, KvmModule module, const ParamValues& originals,
                               const std::optional<DeviceNode>& device) {
  PLECTL_ASSIGN_OR_RETURN(std::string boot_id, BootId(root));
  std::string now = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  return ParamJournal{module,
                      std::move(boot_id),
                      ParamJournal::State::kPlanned,
                      originals,
                      ::getpid(),
                      std::move(now),
                      MachineId(root),
                      device};
}

Result<std::string> BootId(const HostRoot& root) {
  return root.ReadTrimmed("/proc/sys/kernel/random/boot_id");
}

std::string MachineId(const HostRoot& root) {
  std::string id = root.ReadTrimmed("/etc/machine-id").value_or("");
  return IsMachineId(id) ? id : std::string();
}

Status CheckJournalClean(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::optional<ParamJournal> journal, LoadJournal(root));
  if (!journal) return OkStatus();
  const bool restored = journal->state == ParamJournal::State::kRestored;
  return Environment(
      fmt::format("the parameters of {} are {}: plectl (PID {}) changed them at {}",
                  ModuleName(journal->module),
                  restored ? "restored, but their journal is still there" : "not restored",
                  journal->pid, journal->written_at),
      "sudo plectl params restore");
}

}  // namespace plectl::host
