// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/host_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr std::string_view kLockPath = "/var/lib/plectl/lock";
constexpr std::string_view kRunAsRoot = "run as root (sudo)";
// A killed plectl keeps its lock until its last thread and VM are gone.
constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(2);
constexpr auto kPollInterval = std::chrono::milliseconds(10);

Status MakeStateFolder(const HostRoot& root) {
  const std::filesystem::path folder = root.Path(kStateFolder);
  PLECTL_RETURN_IF_ERROR(MakeDirectories(folder.parent_path()));
  if (::mkdir(folder.c_str(), 0700) == 0) return SyncDirectory(folder.parent_path());
  if (errno == EEXIST) return OkStatus();
  return SystemFailure(fmt::format("create directory {}", folder.string()), errno,
                       std::string(kRunAsRoot));
}

// The holder writes its PID after it got the lock, so for a moment there may be none.
Failure HeldByAnother(const HostRoot& root) {
  const std::string text = root.ReadTrimmed(kLockPath).value_or("");
  const std::string who = ParseUint(text) ? fmt::format(" (PID {})", text) : std::string();
  return Environment(fmt::format("another plectl{} is changing this host", who),
                     "wait for it or stop it with SIGINT, then try again");
}

Status WritePid(const Fd& file) {
  if (::ftruncate(file.get(), 0) != 0) return SystemFailure("truncate the lock file", errno);
  return WriteAll(file.get(), fmt::format("{}\n", ::getpid()));
}

// 0 or errno, EWOULDBLOCK when it is still held after kPatience.
int LockPatiently(const Fd& file) {
  const Stopwatch waited;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || waited.ElapsedNs() > kPatience.count()) return errno;
    std::this_thread::sleep_for(kPollInterval);
  }
  return 0;
}

}  // namespace

Result<HostLock> HostLock::Acquire(const HostRoot& root) {
  PLECTL_RETURN_IF_ERROR(MakeStateFolder(root));
  Result<Fd> file = OpenFile(root.Path(kLockPath), O_RDWR | O_CREAT, 0600);
  if (!file) {
    file.error().hint = kRunAsRoot;
    return Fail(file.error());
  }
  if (const int error = LockPatiently(*file); error != 0) {
    if (error == EWOULDBLOCK) return HeldByAnother(root);
    return SystemFailure(fmt::format("lock {}", root.Path(kLockPath).string()), error);
  }
  PLECTL_RETURN_IF_ERROR(WritePid(*file));
  return HostLock(*std::move(file));
}

}  // namespace plectl::host
