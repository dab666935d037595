// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <libkmod.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "host_tools/base/host_root.h"
#include "host_tools/host/load_obstacles.h"
#include "host_tools/host/module_file.h"
#include "host_tools/host/module_holders.h"
#include "host_tools/host/module_loader.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

struct ContextUnref {
  void operator()(kmod_ctx* context) const { kmod_unref(context); }
};
struct ModuleUnref {
  void operator()(kmod_module* module) const { kmod_module_unref(module); }
};
struct ListUnref {
  void operator()(kmod_list* list) const { kmod_module_unref_list(list); }
};
using ContextPtr = std::unique_ptr<kmod_ctx, ContextUnref>;
using ModulePtr = std::unique_ptr<kmod_module, ModuleUnref>;
using ListPtr = std::unique_ptr<kmod_list, ListUnref>;

// A module of the running kernel and the context that it lives in.
struct Found {
  ContextPtr context;
  ModulePtr module;
};

Failure NotInstalled(std::string_view name) {
  return Environment(
      fmt::format("no file for module {} of the running kernel (modules.dep in /lib/modules)",
                  name),
      "install the running kernel's modules and run depmod, or reboot into the installed kernel");
}

// A fresh context each time: the module's state and the index files may have changed.
Result<Found> Find(std::string_view name) {
  Found found;
  found.context.reset(kmod_new(nullptr, nullptr));
  if (!found.context) return SystemFailure("start libkmod", errno);
  kmod_set_log_fn(found.context.get(), nullptr, nullptr);
  kmod_module* module = nullptr;
  const int error =
      kmod_module_new_from_name(found.context.get(), std::string(name).c_str(), &module);
  if (error < 0) return SystemFailure(fmt::format("look up module {}", name), -error);
  found.module.reset(module);
  const char* path = kmod_module_get_path(module);
  if (path == nullptr || ::access(path, R_OK) != 0) return NotInstalled(name);
  return found;
}

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

std::string InfoOf(const kmod_list* info, std::string_view key) {
  const kmod_list* entry = nullptr;
  kmod_list_foreach(entry, info) {
    if (key == kmod_module_info_get_key(entry)) return kmod_module_info_get_value(entry);
  }
  return {};
}

// Reads the file as the kernel would; one that is damaged is none.
Result<ModuleFile> FileOf(const Found& found) {
  ModuleFile file;
  file.path = kmod_module_get_path(found.module.get());
  kmod_list* info = nullptr;
  const int error = kmod_module_get_info(found.module.get(), &info);
  if (error < 0) {
    return SystemFailure(fmt::format("read module file {}", file.path.string()), -error,
                         "install the running kernel's modules again");
  }
  file.srcversion = InfoOf(info, "srcversion");
  file.vermagic = InfoOf(info, "vermagic");
  file.is_signed = !InfoOf(info, "sig_id").empty();
  kmod_module_info_free_list(info);
  return file;
}

// Loaded as modprobe does, with the host's own options: these modules are not ours to change.
Status LoadDependencies(const Found& found, KvmModule module) {
  const ListPtr dependencies(kmod_module_get_dependencies(found.module.get()));
  kmod_list* entry = nullptr;
  kmod_list_foreach(entry, dependencies.get()) {
    const ModulePtr dependency(kmod_module_get_module(entry));
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
    PLECTL_ASSIGN_OR_RETURN(const Found found, Find(ModuleName(module)));
    const std::string seen = StampOf(kmod_module_get_path(found.module.get()));
    if (seen == checked_) return OkStatus();
    PLECTL_ASSIGN_OR_RETURN(const ModuleFile file, FileOf(found));
    PLECTL_RETURN_IF_ERROR(CheckKernelLoads(root, module, file));
    PLECTL_RETURN_IF_ERROR(CheckSameAsLoaded(root, module, file));
    checked_ = seen;
    return OkStatus();
  }

  // What could not be loaded again is not unloaded.
  Status Unload(KvmModule module) override {
    PLECTL_RETURN_IF_ERROR(CheckLoadable(module));
    PLECTL_ASSIGN_OR_RETURN(const Found found, Find(ModuleName(module)));
    const int error = kmod_module_remove_module(found.module.get(), 0);
    if (error == 0) return OkStatus();
    if (error == -EAGAIN || error == -EBUSY) return Busy(module);
    return SystemFailure(fmt::format("unload module {}", ModuleName(module)), -error,
                         error == -EPERM ? StepAfterEperm(HostRoot(), module) : "see dmesg");
  }

  Status Load(KvmModule module, const ParamValues& values) override {
    PLECTL_ASSIGN_OR_RETURN(const Found found, Find(ModuleName(module)));
    PLECTL_RETURN_IF_ERROR(LoadDependencies(found, module));
    const std::string options = OptionString(values);
    const int error = kmod_module_insert_module(found.module.get(), 0, options.c_str());
    if (error == 0) return OkStatus();
    return SystemFailure(fmt::format("load module {} with \"{}\"", ModuleName(module), options),
                         -error, HintForLoad(-error, module));
  }

 private:
  std::string checked_;  // the file that CheckLoadable() found good, as StampOf() has it
};

}  // namespace

Result<std::unique_ptr<ModuleLoader>> MakeKmodLoader(const HostRoot& root) {
  if (root.is_real()) return std::make_unique<KmodLoader>();
  return Environment("a recorded host cannot be changed",
                     "leave --host-root out, or use --dry-run");
}

}  // namespace plectl::host
