// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/host/kmod_module.h"
#include "host_tools/host/load_obstacles.h"
#include "host_tools/host/module_holders.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

std::string HintForLoad(int error_number, KvmModule module) {
  switch (error_number) {
    case EPERM:
      return StepAfterEperm(HostRoot(), module);
    case EKEYREJECTED:
      return "the kernel takes modules only with a signature that it trusts: sign the file, or "
             "boot "
             "without module.sig_enforce and Secure Boot";
    case EEXIST:
      return "something else has loaded it meanwhile; run: sudo plectl params restore";
    case EOPNOTSUPP:
      return "the CPU or its firmware does not allow virtualization; see dmesg";
    default:
      return "see dmesg for the kernel's reason";
  }
}

// Loaded as modprobe does, with the host's own options: these modules are not ours to change.
Status LoadDependencies(const KmodModule& found, KvmModule module) {
  const KmodListPtr dependencies(kmod_module_get_dependencies(found.module.get()));
  kmod_list* entry = nullptr;
  kmod_list_foreach(entry, dependencies.get()) {
    const KmodModulePtr dependency(kmod_module_get_module(entry));
    const int error =
        kmod_module_probe_insert_module(dependency.get(), 0, nullptr, nullptr, nullptr, nullptr);
    if (error == 0) continue;
    const char* name = kmod_module_get_name(dependency.get());
    return SystemFailure(fmt::format("load module {}", name), -error, HintForLoad(-error, module));
  }
  return OkStatus();
}

// Its last user came between the check and the unloading.
Failure Busy(KvmModule module) {
  if (Status unused = WaitUntilUnused(HostRoot(), module, std::chrono::milliseconds(0)); !unused) {
    return Fail(unused.error());
  }
  return Environment(fmt::format("{} is busy", ModuleName(module)), "try again");
}

// Changes when the file does.
std::string StampOf(const char* path) {
  struct stat status {};
  if (::stat(path, &status) != 0) return {};
  return fmt::format("{} {} {} {}.{}", path, status.st_ino, status.st_size, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

class KmodLoader : public ModuleLoader {
 public:
  Status CheckLoadable(KvmModule module) override {
    const HostRoot root;
    PLECTL_RETURN_IF_ERROR(CheckKernelLoads(root, module));
    PLECTL_ASSIGN_OR_RETURN(const KmodModule found, FindKmodModule(root, ModuleName(module)));
    const std::string seen = StampOf(found.path());
    if (seen == checked_) return OkStatus();
    PLECTL_RETURN_IF_ERROR(CheckLoadableAgain(root, module));
    checked_ = seen;
    return OkStatus();
  }

  // What could not be loaded again is not unloaded.
  Status Unload(KvmModule module) override {
    PLECTL_RETURN_IF_ERROR(CheckLoadable(module));
    PLECTL_ASSIGN_OR_RETURN(const KmodModule found, FindKmodModule(HostRoot(), ModuleName(module)));
    const int error = kmod_module_remove_module(found.module.get(), 0);
    if (error == 0) return OkStatus();
    if (error == -EAGAIN || error == -EBUSY) return Busy(module);
    return SystemFailure(fmt::format("unload module {}", ModuleName(module)), -error,
                         error == -EPERM ? StepAfterEperm(HostRoot(), module) : "see dmesg");
  }

  Status Load(KvmModule module, const ParamValues& values) override {
    PLECTL_ASSIGN_OR_RETURN(const KmodModule found, FindKmodModule(HostRoot(), ModuleName(module)));
    PLECTL_RETURN_IF_ERROR(LoadDependencies(found, module));
    const std::string options = OptionString(values);
    const int error = kmod_module_insert_module(found.module.get(), 0, options.c_str());
    if (error == 0) return OkStatus();
    return SystemFailure(fmt::format("load module {} with \"{}\"", ModuleName(module), options),
                         -error, HintForLoad(-error, module));
  }

 private:
  std::string checked_;  // the file that was found good, as StampOf() has it
};

}  // namespace

Result<std::unique_ptr<ModuleLoader>> MakeKmodLoader(const HostRoot& root) {
  if (root.is_real()) return std::make_unique<KmodLoader>();
  return Environment("a recorded host cannot be changed",
                     "leave --host-root out, or use --dry-run");
}

}  // namespace plectl::host
