// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/persisted_params.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "host_tools/base/file.h"
#include "host_tools/host/modprobe_config.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

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
  if (config.unread.empty()) return OkStatus();
  return Environment(fmt::format("cannot tell what else sets parameters of {}: {}",
                                 ModuleName(module), config.unread.front()),
                     "run as root (sudo), or make the file readable");
}

Status PersistParams(const HostRoot& root, KvmModule module, const ParamValues& values) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, OurText(root));
  ParamValues all;
  for (const ModuleOption& option : ParseModprobeFile(text, kPersistedPath)) {
    if (option.module == ModuleName(module)) all[option.name] = option.value.value_or("");
  }
  for (const auto& [name, value] : values) all[name] = value;
  const std::filesystem::path file = root.Path(kPersistedPath);
  PLECTL_RETURN_IF_ERROR(MakeDirectories(file.parent_path()));
  return WriteFileAtomically(file, FileText(module, all));
}

Result<bool> RemovePersistedParams(const HostRoot& root) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, OurText(root));
  if (text.empty()) return false;
  PLECTL_RETURN_IF_ERROR(RemoveFileDurably(root.Path(kPersistedPath)));
  return true;
}

}  // namespace plectl::host
