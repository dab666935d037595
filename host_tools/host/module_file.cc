// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_file.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/host/kmod_module.h"

namespace plectl::host {
namespace {

std::string Trimmed(const HostRoot& root, std::string_view path) {
  return root.ReadTrimmed(path).value_or("");
}

std::string SysPath(KvmModule module, std::string_view below) {
  return fmt::format("/sys/module/{}/{}", ModuleName(module), below);
}

// Nothing where there is no program to unpack it with.
std::optional<std::string> Unpacked(const std::filesystem::path& path) {
  for (const auto& [extension, program] :
       {std::pair(".xz", "xz"), std::pair(".zst", "zstd"), std::pair(".gz", "gzip")}) {
    if (path.extension() != extension) continue;
    ChildOptions options;
    options.argv = {program, "-dc", path.string()};
    Result<std::string> text = RunChildOrFail(options, std::chrono::seconds(30));
    return text ? std::optional(*std::move(text)) : std::nullopt;
  }
  Result<std::string> text = ReadFile(path);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

// The note is in the file as it is in memory, header and all (elf(5)).
bool HasBuildId(const HostRoot& root, KvmModule module, const ModuleFile& file) {
  const auto note = root.Read(SysPath(module, "notes/.note.gnu.build-id"));
  if (!note || note->empty()) return true;
  const std::optional<std::string> text = Unpacked(file.path);
  return !text || text->find(*note) != std::string::npos;
}

std::string InfoOf(const kmod_list* info, std::string_view key) {
  const kmod_list* entry = nullptr;
  kmod_list_foreach(entry, info) {
    if (key == kmod_module_info_get_key(entry)) return kmod_module_info_get_value(entry);
  }
  return {};
}

}  // namespace

Result<ModuleFile> FindModuleFile(const HostRoot& root, KvmModule module) {
  PLECTL_ASSIGN_OR_RETURN(const KmodModule found, FindKmodModule(root, ModuleName(module)));
  ModuleFile file;
  file.path = found.path();
  kmod_list* info = nullptr;
  const int error = kmod_module_get_info(found.module.get(), &info);
  if (error < 0) {
    return SystemFailure(fmt::format("read module file {}", file.path.string()), -error,
                         "it is damaged, or packed in a way that libkmod here cannot unpack: "
                         "install the running kernel's modules again");
  }
  file.srcversion = InfoOf(info, "srcversion");
  file.vermagic = InfoOf(info, "vermagic");
  file.is_signed = !InfoOf(info, "sig_id").empty();
  kmod_module_info_free_list(info);
  return file;
}

std::string WhyNotTheLoadedOne(const HostRoot& root, KvmModule module, const ModuleFile& file) {
  const std::string path = file.path.string();
  const std::string release = Trimmed(root, "/proc/sys/kernel/osrelease");
  const std::string_view of_kernel = Split(file.vermagic, ' ').front();
  if (!release.empty() && !of_kernel.empty() && of_kernel != release) {
    return fmt::format("{} is for Linux {}, this is {}", path, of_kernel, release);
  }
  const std::string loaded = Trimmed(root, SysPath(module, "srcversion"));
  if (!loaded.empty() && !file.srcversion.empty() && loaded != file.srcversion) {
    return fmt::format("{} is another build (srcversion {}, loaded is {})", path, file.srcversion,
                       loaded);
  }
  if (HasBuildId(root, module, file)) return {};
  return fmt::format("{} is another build than the loaded one", path);
}

}  // namespace plectl::host
