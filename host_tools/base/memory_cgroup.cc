// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/memory_cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "host_tools/base/cgroup_place.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl {
namespace {

namespace fs = std::filesystem;

Status WriteControl(const fs::path& file, std::string_view text) {
  PLECTL_ASSIGN_OR_RETURN(const Fd fd, OpenFile(file, O_WRONLY));
  if (Status written = WriteAll(fd.get(), text); !written) {
    return Fail(WithContext(file.string(), written.error()));
  }
  return OkStatus();
}

// Kernels before 5.14 have no cgroup.kill; then one by one: who forks meanwhile is met next time.
void KillAll(const fs::path& folder) {
  if (WriteControl(folder / "cgroup.kill", "1")) return;
  const std::string pids = ReadFile(folder / "cgroup.procs").value_or("");
  for (const std::string_view line : Split(pids, '\n')) {
    const auto pid = static_cast<pid_t>(ParseUint(line).value_or(0));
    if (pid > 1) ::kill(pid, SIGKILL);
  }
}

// What was killed needs a moment to leave; a cgroup with processes cannot be removed.
void KillAndRemove(const fs::path& folder) {
  constexpr int kAttempts = 500;
  for (int i = 0; i < kAttempts; ++i) {
    if (::rmdir(folder.c_str()) == 0 || errno != EBUSY) return;
    KillAll(folder);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void RemoveStale(const HostRoot& root, const std::string& parent) {
  for (const std::string& name : root.List(parent).value_or(std::vector<std::string>{})) {
    if (IsStaleCgroup(root, name)) KillAndRemove(root.Path(parent) / name);
  }
}

// The root passes nothing on by itself. It stays so: another plectl may need it by now.
Status PassMemoryOn(const fs::path& parent) {
  const fs::path file = parent / "cgroup.subtree_control";
  PLECTL_ASSIGN_OR_RETURN(const std::string passed_on, ReadFile(file));
  for (const std::string_view name : Split(TrimRight(passed_on), ' ')) {
    if (name == "memory") return OkStatus();
  }
  return WriteControl(file, "+memory");
}

// A name that no other thread of ours has taken.
Result<fs::path> MakeFolder(const fs::path& parent, const std::string& prefix) {
  constexpr int kAttempts = 1000;
  for (int i = 0; i < kAttempts; ++i) {
    fs::path folder = parent / fmt::format("{}{}", prefix, i);
    if (::mkdir(folder.c_str(), 0755) == 0) return folder;
    if (errno != EEXIST) return SystemFailure(fmt::format("mkdir {}", folder.string()), errno);
  }
  return Environment(fmt::format("{} is full of cgroups of plectl", parent.string()));
}

// Not every kernel has swap or group kills: the limit alone is enough.
Result<Fd> SetLimit(const fs::path& folder, uint64_t limit_bytes) {
  PLECTL_RETURN_IF_ERROR(WriteControl(folder / "memory.max", std::to_string(limit_bytes)));
  static_cast<void>(WriteControl(folder / "memory.swap.max", "0"));
  static_cast<void>(WriteControl(folder / "memory.oom.group", "1"));
  return OpenFile(folder / "cgroup.procs", O_WRONLY);
}

}  // namespace

Result<MemoryCgroup> MemoryCgroup::Create(const HostRoot& root, uint64_t limit_bytes) {
  PLECTL_ASSIGN_OR_RETURN(const std::string parent, MemoryCgroupParent(root));
  PLECTL_ASSIGN_OR_RETURN(const std::string prefix,
                          CgroupNamePrefix(root, std::to_string(::getpid())));
  RemoveStale(root, parent);
  PLECTL_RETURN_IF_ERROR(PassMemoryOn(root.Path(parent)));
  PLECTL_ASSIGN_OR_RETURN(fs::path folder, MakeFolder(root.Path(parent), prefix));
  Result<Fd> join = SetLimit(folder, limit_bytes);
  if (!join) {
    ::rmdir(folder.c_str());
    return Fail(join.error());
  }
  return MemoryCgroup(std::move(folder), *std::move(join));
}

MemoryCgroup::MemoryCgroup(fs::path folder, Fd join)
    : folder_(std::move(folder)), join_(std::move(join)) {}

MemoryCgroup::~MemoryCgroup() {
  if (join_.valid()) KillAndRemove(folder_);
}

bool MemoryCgroup::IsExceeded() const {
  return ShowsLimitKill(ReadFile(folder_ / "memory.events").value_or(""));
}

std::optional<uint64_t> MemoryCgroup::PeakBytes() const {
  return ParseUint(TrimRight(ReadFile(folder_ / "memory.peak").value_or("")));
}

bool ShowsLimitKill(std::string_view memory_events) {
  const auto count = [&](std::string_view name) {
    return ParseUint(LineAfter(memory_events, name).value_or("")).value_or(0);
  };
  return count("oom ") > 0 && count("oom_kill ") > 0;
}

}  // namespace plectl
