// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_file.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr std::string_view kReboot =
    "a kernel package was upgraded in place: reboot, or install the running kernel's own modules";

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
    options.argv = {program, "-dcq", path.string()};
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

Failure NotLoadable(KvmModule module, std::string_view why, std::string_view hint) {
  return Environment(
      fmt::format("{} could not be loaded again once it is unloaded: {}", ModuleName(module), why),
      std::string(hint));
}

// "[integrity]" of "none [integrity] confidentiality".
std::string Lockdown(const HostRoot& root) {
  const std::string text = Trimmed(root, "/sys/kernel/security/lockdown");
  const size_t open = text.find('[');
  const size_t close = text.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return text.substr(open + 1, close - open - 1);
}

}  // namespace

std::string WhySignaturesAreNeeded(const HostRoot& root) {
  const std::string lockdown = Lockdown(root);
  if (lockdown == "integrity" || lockdown == "confidentiality") return "lockdown=" + lockdown;
  const bool enforced = Trimmed(root, "/sys/module/module/parameters/sig_enforce") == "Y";
  return enforced ? "module.sig_enforce" : "";
}

Status CheckKernelLoads(const HostRoot& root, KvmModule module, const ModuleFile& file) {
  if (Trimmed(root, "/proc/sys/kernel/modules_disabled") == "1") {
    return NotLoadable(module, "kernel.modules_disabled is 1, which lasts until the next boot",
                       "reboot without that setting (sysctl.d); nothing else takes it back");
  }
  const std::string needed = WhySignaturesAreNeeded(root);
  if (needed.empty()) return OkStatus();
  const bool untrusted = Trimmed(root, SysPath(module, "taint")).find('E') != std::string::npos;
  if (file.is_signed && !untrusted) return OkStatus();
  return NotLoadable(
      module,
      fmt::format("{} takes signed modules only, and {}", needed,
                  file.is_signed ? "the loaded one carries taint E: its key is not trusted"
                                 : fmt::format("{} has no signature", file.path.string())),
      "sign it with a key that the kernel trusts (mokutil), or boot without Secure Boot, "
      "lockdown= and module.sig_enforce");
}

Status CheckSameAsLoaded(const HostRoot& root, KvmModule module, const ModuleFile& file) {
  const std::string release = Trimmed(root, "/proc/sys/kernel/osrelease");
  const std::string_view of_kernel = Split(file.vermagic, ' ').front();
  if (!release.empty() && !of_kernel.empty() && of_kernel != release) {
    return NotLoadable(
        module,
        fmt::format("{} is for Linux {}, this is {}", file.path.string(), of_kernel, release),
        kReboot);
  }
  const std::string loaded = Trimmed(root, SysPath(module, "srcversion"));
  if (!loaded.empty() && !file.srcversion.empty() && loaded != file.srcversion) {
    return NotLoadable(module,
                       fmt::format("{} is another build (srcversion {}, loaded is {})",
                                   file.path.string(), file.srcversion, loaded),
                       kReboot);
  }
  if (HasBuildId(root, module, file)) return OkStatus();
  return NotLoadable(
      module, fmt::format("{} is another build than the loaded one", file.path.string()), kReboot);
}

}  // namespace plectl::host
