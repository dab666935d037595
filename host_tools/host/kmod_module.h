// SPDX-License-Identifier: Apache-2.0
// libkmod's handles; used by kmod_module.cc, module_file.cc and kmod_loader.cc only.
#pragma once

#include <libkmod.h>

#include <memory>
#include <string_view>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"

namespace plectl::host {

struct KmodContextUnref {
  void operator()(kmod_ctx* context) const { kmod_unref(context); }
};
struct KmodModuleUnref {
  void operator()(kmod_module* module) const { kmod_module_unref(module); }
};
struct KmodListUnref {
  void operator()(kmod_list* list) const { kmod_module_unref_list(list); }
};
using KmodContextPtr = std::unique_ptr<kmod_ctx, KmodContextUnref>;
using KmodModulePtr = std::unique_ptr<kmod_module, KmodModuleUnref>;
using KmodListPtr = std::unique_ptr<kmod_list, KmodListUnref>;

// A module of the root's running kernel and the context that it lives in. Fresh at each call: the
// module's state and the index files may have changed.
struct KmodModule {
  KmodContextPtr context;
  KmodModulePtr module;
  [[nodiscard]] const char* path() const { return kmod_module_get_path(module.get()); }
};
// Environment error where the index of the kernel's modules has no file of it that is there.
Result<KmodModule> FindKmodModule(const HostRoot& root, std::string_view name);

}  // namespace plectl::host
