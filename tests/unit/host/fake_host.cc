// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/host/fake_host.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "host_tools/host/module_params.h"
#include "host_tools/host/param_journal.h"

namespace plectl::host {
namespace {

namespace fs = std::filesystem;

fs::path MakeTemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "plectl-host-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

void WriteText(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

// Recorded fds are text files that hold the link's target: not every copy keeps dangling links.
void LinkFds(const fs::path& process) {
  if (!fs::is_directory(process / "fd")) return;
  const std::vector<fs::directory_entry> fds(fs::directory_iterator(process / "fd"), {});
  for (const fs::directory_entry& fd : fds) {
    std::string target;
    std::getline(std::ifstream(fd.path()), target);
    fs::remove(fd.path());
    fs::create_symlink(target, fd.path());
  }
}

std::string ModuleFolder(KvmModule module) {
  return fmt::format("/sys/module/{}", ModuleName(module));
}

}  // namespace

HostRoot RecordedHost(std::string_view name) {
  return HostRoot(fs::path(PLECTL_FIXTURES) / "hosts" / name);
}

FakeHost::FakeHost(std::string_view recorded_as) : folder_(MakeTemporaryFolder()), root_(folder_) {
  fs::copy(RecordedHost(recorded_as).Path("/"), folder_,
           fs::copy_options::recursive | fs::copy_options::copy_symlinks |
               fs::copy_options::overwrite_existing);
  for (const fs::directory_entry& process : fs::directory_iterator(folder_ / "proc")) {
    LinkFds(process.path());
  }
}

FakeHost::~FakeHost() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void FakeHost::Write(std::string_view path, std::string_view text) const {
  WriteText(root_.Path(path), text);
}

void FakeHost::Remove(std::string_view path) const { fs::remove_all(root_.Path(path)); }

std::string FakeHost::Read(std::string_view path) const {
  std::ostringstream text;
  text << std::ifstream(root_.Path(path)).rdbuf();
  return text.str();
}

bool FakeHost::JournalExists() const { return fs::exists(root_.Path(kJournalPath)); }

FakeLoader::FakeLoader(const FakeHost& host, KvmModule module)
    : FakeLoader(host, module, {}, host.root()) {}

FakeLoader::FakeLoader(const FakeHost& recorded, KvmModule module, const ParamValues& defaults,
                       const HostRoot& root)
    : root_(root), defaults_(ReadParams(recorded.root(), module).value()) {
  for (const auto& [name, value] : defaults) defaults_[name] = value;
}

Status FakeLoader::CheckLoadable(KvmModule /*module*/) {
  on_step("checked");
  return loadable;
}

Status FakeLoader::Unload(KvmModule module) {
  on_step("before unload");
  if (Status failed = std::exchange(next_unload, OkStatus()); !failed) return failed;
  // Kept: no two loads of a boot have the same folder in the real sysfs either.
  static std::atomic<int> unloads = 0;
  const fs::path trash = root_.Path(fmt::format("/sys/trash-{}-{}", ::getpid(), ++unloads));
  fs::rename(root_.Path(ModuleFolder(module)), trash);
  on_step("after unload");
  return OkStatus();
}

Status FakeLoader::Load(KvmModule module, const ParamValues& values) {
  loads.push_back(values);
  on_step("before load");
  if (Status failed = std::exchange(next_load, OkStatus()); !failed) return failed;
  ParamValues loaded = defaults_;
  for (const auto& [name, value] : values) loaded[name] = value;
  mangle(loaded);
  static std::atomic<int> loads_begun = 0;
  const fs::path fresh = root_.Path(fmt::format("/sys/fresh-{}-{}", ::getpid(), ++loads_begun));
  for (const auto& [name, value] : loaded) WriteText(fresh / "parameters" / name, value + "\n");
  WriteText(fresh / "initstate", "live\n");
  WriteText(fresh / "refcnt", "0\n");
  fs::rename(fresh, root_.Path(ModuleFolder(module)));
  on_step("after load");
  return OkStatus();
}

void RunAndCrash(std::unique_ptr<FakeLoader> loader, int steps,
                 const std::function<void(std::unique_ptr<FakeLoader>)>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    loader->on_step = [left = steps](std::string_view) mutable {
      if (--left <= 0) ::_exit(0);
    };
    work(std::move(loader));
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "there are fewer steps";
}

}  // namespace plectl::host
