// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kmod_module.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace plectl::host {
namespace {

Failure NotInstalled(std::string_view name) {
  return Environment(
      fmt::format("no file for module {} of the running kernel (modules.dep in /lib/modules)",
                  name),
      "install the running kernel's modules and run depmod, or reboot into the installed kernel");
}

}  // namespace

Result<KmodModule> FindKmodModule(const HostRoot& root, std::string_view name) {
  const std::string release = root.ReadTrimmed("/proc/sys/kernel/osrelease").value_or("");
  const std::string folder = root.Path("/lib/modules/" + release).string();
  KmodModule found;
  found.context.reset(kmod_new(release.empty() ? nullptr : folder.c_str(), nullptr));
  if (!found.context) return SystemFailure("start libkmod", errno);
  kmod_set_log_fn(found.context.get(), nullptr, nullptr);
  kmod_module* module = nullptr;
  const int error =
      kmod_module_new_from_name(found.context.get(), std::string(name).c_str(), &module);
  if (error < 0) return SystemFailure(fmt::format("look up module {}", name), -error);
  found.module.reset(module);
  if (found.path() == nullptr || ::access(found.path(), R_OK) != 0) return NotInstalled(name);
  return found;
}

}  // namespace plectl::host
