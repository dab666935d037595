// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/host/module_loader.h"

namespace plectl::host {

// A recorded host of tests/fixtures/hosts; without the open files of its processes.
HostRoot RecordedHost(std::string_view name);

// A copy of a recorded host that a test may change; removed at its end.
class FakeHost {
 public:
  explicit FakeHost(std::string_view recorded_as);
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost();

  [[nodiscard]] const HostRoot& root() const { return root_; }
  void Write(std::string_view path, std::string_view text) const;
  void Remove(std::string_view path) const;
  [[nodiscard]] std::string Read(std::string_view path) const;
  [[nodiscard]] bool JournalExists() const;

 private:
  std::filesystem::path folder_;
  HostRoot root_;
};

// A kernel that unloads and loads kvm modules in a FakeHost as the real one does: in one step each,
// with its own defaults for what is not given.
class FakeLoader : public ModuleLoader {
 public:
  // Works on `host`, where the module must be loaded now; its defaults are what it has.
  FakeLoader(const FakeHost& host, KvmModule module);
  // Works on `root`; its defaults are what the module has in `recorded`, with `defaults` over them.
  FakeLoader(const FakeHost& recorded, KvmModule module, const ParamValues& defaults,
             const HostRoot& root);

  Status CheckLoadable(KvmModule module) override;
  Status Unload(KvmModule module) override;
  Status Load(KvmModule module, const ParamValues& values) override;

  // Called with "checked", "before unload", "after unload", "before load", "after load".
  std::function<void(std::string_view step)> on_step = [](std::string_view) {};
  // What the kernel makes of the values, e.g. forces one to 0.
  std::function<void(ParamValues& values)> mangle = [](ParamValues&) {};
  Status next_load = OkStatus();    // an error: Load() fails with it, once
  Status next_unload = OkStatus();  // the same for Unload()
  Status loadable = OkStatus();     // what CheckLoadable() says
  std::vector<ParamValues> loads;   // what each Load() was given

 private:
  HostRoot root_;
  ParamValues defaults_;
};

// Runs `work` in a process that ends without any clean-up at the loader's step number `steps`.
void RunAndCrash(std::unique_ptr<FakeLoader> loader, int steps,
                 const std::function<void(std::unique_ptr<FakeLoader>)>& work);

}  // namespace plectl::host
