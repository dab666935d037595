// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/persisted_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/host/install_line.h"
#include "host_tools/host/modprobe_config.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

constexpr int kSchema = 1;
constexpr unsigned kOwnerOnly = 0600;
constexpr unsigned kReadable = 0644;
constexpr std::string_view kMark = "# Written by plectl params set --persist";

// Our file; "" when there is none, an error when it is not ours.
Result<std::string> OurText(const HostRoot& root) {
  if (!root.Exists(kPersistedPath)) return std::string();
  PLECTL_ASSIGN_OR_RETURN(std::string text, root.Read(kPersistedPath));
  if (text.starts_with(kMark)) return text;
  return Environment(fmt::format("{} is there, but plectl did not write it", kPersistedPath),
                     "move it away if nobody needs it");
}

std::string FileText(KvmModule module, const ParamValues& values) {
  return fmt::format(
      "{}; removed by: plectl params restore\n"
      "# Taken when the module is loaded next; see modprobe.d(5).\n"
      "options {} {}\n",
      kMark, ModuleName(module), OptionString(values));
}

// Of one module, or of whichever it is.
ParamValues ValuesInFile(std::string_view text, std::optional<KvmModule> module) {
  ParamValues values;
  for (const ModuleOption& option : ParseModprobeFile(text, kPersistedPath)) {
    if (module && option.module != ModuleName(*module)) continue;
    values[option.name] = option.value.value_or("");
  }
  return values;
}

Result<ParamValues> LastingValues(const HostRoot& root, KvmModule module) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, OurText(root));
  return ValuesInFile(text, module);
}

std::optional<KvmModule> ModuleIn(const nlohmann::json& json) {
  if (!json.is_object() || json.value("schema", nlohmann::json()) != kSchema) return std::nullopt;
  const auto found = json.find("module");
  if (found == json.end() || !found->is_string()) return std::nullopt;
  return ModuleFromName(found->get<std::string>());
}

std::optional<ParamValues> ValuesIn(const nlohmann::json& json, const char* key) {
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_object()) return std::nullopt;
  ParamValues values;
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) return std::nullopt;
    values.emplace(name, value.get<std::string>());
  }
  return values;
}

bool SameNames(const ParamValues& one, const ParamValues& other) {
  return std::ranges::equal(one, other,
                            [](const auto& a, const auto& b) { return a.first == b.first; });
}

}  // namespace

Status CheckPersistable(const HostRoot& root, KvmModule module, const ParamValues& values) {
  PLECTL_RETURN_IF_ERROR(OurText(root));
  const ModprobeConfig config = ReadModprobeConfig(root);
  for (const ModuleOption& option : config.options) {
    const bool ours = option.file == kPersistedPath;
    if (ours || option.module != ModuleName(module) || !values.contains(option.name)) continue;
    return Environment(fmt::format("{} sets {} of {} already: two files would fight over it",
                                   PlaceText(option), option.name, option.module),
                       "change or remove it there, or leave --persist out");
  }
  if (const auto line = FindInstallLine(config, ModuleName(module))) {
    return Environment(
        fmt::format("{} has \"install {} {}\", which modprobe runs instead of loading {} with the "
                    "options of {}",
                    PlaceText(line->rule), line->rule.pattern, line->rule.text, ModuleName(module),
                    kPersistedPath),
        "set the values in that line, or remove it, or leave --persist out");
  }
  if (config.unread.empty()) return OkStatus();
  return Environment(fmt::format("cannot tell what else sets parameters of {}: {}",
                                 ModuleName(module), config.unread.front()),
                     "run as root (sudo), or make the file readable");
}

std::string FormatPersistedRecord(const PersistedRecord& record) {
  const nlohmann::json json = {{"schema", kSchema},
                               {"module", ModuleName(record.module)},
                               {"originals", record.originals},
                               {"values", record.values}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<std::optional<PersistedRecord>> LoadPersistedRecord(const HostRoot& root) {
  if (!root.Exists(kPersistedRecordPath)) return std::optional<PersistedRecord>();
  PLECTL_ASSIGN_OR_RETURN(const std::string text, root.Read(kPersistedRecordPath));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto module = ModuleIn(json);
  const auto originals = ValuesIn(json, "originals");
  const auto values = ValuesIn(json, "values");
  if (!module || !originals || !values || !SameNames(*originals, *values)) {
    return Environment(
        fmt::format("damaged record of what lasts: {}", kPersistedRecordPath),
        fmt::format("compare `plectl params show` with the wanted values, reload the module by "
                    "hand if they differ, then remove it and {}",
                    kPersistedPath));
  }
  return std::optional(PersistedRecord{*module, *originals, *values});
}

Status RemovePersistedRecord(const HostRoot& root) {
  return RemoveFileDurably(root.Path(kPersistedRecordPath));
}

Result<StagedPersistence> StagedPersistence::Stage(const HostRoot& root, KvmModule module,
                                                   const ParamValues& values,
                                                   const ParamValues& originals) {
  PLECTL_ASSIGN_OR_RETURN(const ParamValues lasting, LastingValues(root, module));
  PLECTL_ASSIGN_OR_RETURN(const auto before, LoadPersistedRecord(root));
  PersistedRecord record{module, {}, lasting};
  for (const auto& [name, value] : values) record.values[name] = value;
  for (const auto& [name, value] : record.values) {
    const bool known = before && before->module == module && before->originals.contains(name);
    const auto now = originals.find(name);
    if (known) record.originals[name] = before->originals.at(name);
    if (!known) record.originals[name] = now == originals.end() ? value : now->second;
  }
  const std::filesystem::path file = root.Path(kPersistedPath);
  PLECTL_RETURN_IF_ERROR(MakeDirectories(file.parent_path()));
  PLECTL_ASSIGN_OR_RETURN(StagedFile staged_record,
                          StagedFile::Create(root.Path(kPersistedRecordPath),
                                             FormatPersistedRecord(record), kOwnerOnly));
  Result<StagedFile> staged_file =
      StagedFile::Create(file, FileText(module, record.values), kReadable);
  if (!staged_file) {
    Error error = staged_file.error();
    if (error.hint.empty()) {
      error.hint =
          fmt::format("make {} writable, or leave --persist out", file.parent_path().string());
    }
    return Fail(std::move(error));
  }
  return StagedPersistence(std::move(staged_record), *std::move(staged_file));
}

Status StagedPersistence::Commit() {
  PLECTL_RETURN_IF_ERROR(record_.Commit());
  return file_.Commit();
}

Result<std::optional<ParamValues>> RemovePersistedParams(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, OurText(root));
  if (text.empty()) return std::optional<ParamValues>();
  PLECTL_RETURN_IF_ERROR(RemoveFileDurably(root.Path(kPersistedPath)));
  return std::optional(ValuesInFile(text, std::nullopt));
}

}  // namespace plectl::host
