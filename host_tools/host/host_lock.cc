// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/host_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr std::string_view kLockPath = "/var/lib/plectl/lock";
// A killed plectl keeps its lock until its last thread and VM are gone.
constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(2);
constexpr auto kPollInterval = std::chrono::milliseconds(10);

// Whoever may write there could tell plectl other originals.
Status CheckPrivate(const std::filesystem::path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    return SystemFailure(fmt::format("stat {}", folder.string()), errno);
  }
  const std::string name = folder.string();
  if (!S_ISDIR(status.st_mode)) {
    return Environment(fmt::format("{} is no folder", name), "move it away");
  }
  constexpr unsigned kOthersWrite = S_IWGRP | S_IWOTH;
  if (status.st_uid == ::geteuid() && (status.st_mode & kOthersWrite) == 0) return OkStatus();
  return Environment(
      fmt::format("{} belongs to UID {} and has mode {:04o}: others than root can write to it, and "
                  "so the journal is not to be trusted",
                  name, status.st_uid, status.st_mode & 07777U),
      fmt::format("look at what is in it, then: sudo chown root: {0} && sudo chmod 0700 {0}",
                  name));
}

Status MakeStateFolder(const HostRoot& root) {
  const std::filesystem::path folder = root.Path(kStateFolder);
  PLECTL_RETURN_IF_ERROR(MakeDirectories(folder.parent_path()));
  if (::mkdir(folder.c_str(), 0700) == 0) return SyncDirectory(folder.parent_path());
  if (errno == EEXIST) {
    return ::geteuid() == 0 || !root.is_real() ? CheckPrivate(folder) : OkStatus();
  }
  return SystemFailure(fmt::format("create directory {}", folder.string()), errno);
}

// What a plectl left that was killed while it wrote; only the lock's holder writes there.
void RemoveInterruptedWrites(const HostRoot& root) {
  for (const std::string_view folder : {kStateFolder, std::string_view("/etc/modprobe.d")}) {
    for (const std::string& name : root.List(folder).value_or(std::vector<std::string>{})) {
      if (!name.starts_with(".plectl-") || !name.ends_with(".tmp")) continue;
      std::error_code ignored;
      std::filesystem::remove(root.Path(fmt::format("{}/{}", folder, name)), ignored);
    }
  }
}

std::string LinkTarget(const HostRoot& root, std::string_view path) {
  std::error_code error;
  return std::filesystem::read_symlink(root.Path(path), error).string();
}

Failure InContainer(std::string_view how) {
  return Environment(
      fmt::format("plectl runs in a container ({}): the KVM module is the whole machine's, but no "
                  "plectl outside would see this one's lock and journal",
                  how),
      "run it on the host itself");
}

// The holder writes its PID after it got the lock, so for a moment there may be none.
Failure HeldByAnother(const HostRoot& root) {
  const std::string text = root.ReadTrimmed(kLockPath).value_or("");
  const std::string who = ParseUint(text) ? fmt::format(" (PID {})", text) : std::string();
  return Environment(fmt::format("another plectl{} is changing this host", who),
                     "wait for it or stop it with SIGTERM, then try again");
}

Status WritePid(const Fd& file) {
  if (::ftruncate(file.get(), 0) != 0) return SystemFailure("truncate the lock file", errno);
  const Status written = WriteAll(file.get(), fmt::format("{}\n", ::getpid()));
  return written ? OkStatus() : Fail(WithContext("the lock file", written.error()));
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

// Others than root may not look, and fail where they need to be root.
Status CannotTell(int error_number) {
  if (::geteuid() != 0) return OkStatus();
  return Environment(fmt::format("cannot tell whether plectl runs in a container: /proc/1/root: {}",
                                 std::strerror(error_number)),
                     "run it on the host, with CAP_SYS_PTRACE");
}

Result<Fd> LockedFile(const HostRoot& root) {
  PLECTL_RETURN_IF_ERROR(MakeStateFolder(root));
  const std::filesystem::path path = root.Path(kLockPath);
  PLECTL_ASSIGN_OR_RETURN(Fd file, OpenFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (const int error = LockPatiently(file); error != 0) {
    if (error == EWOULDBLOCK) return HeldByAnother(root);
    return SystemFailure(fmt::format("lock {}", path.string()), error);
  }
  if (const Status written = WritePid(file); !written) {
    return Fail(WithContext(path.string(), written.error()));
  }
  return file;
}

}  // namespace

std::string HintForState(const HostRoot& root) {
  const std::filesystem::path folder = root.Path(kStateFolder);
  if (root.is_real() && ::geteuid() != 0) return "run as root (sudo)";
  const auto below = root.Exists(kStateFolder) ? folder : folder.parent_path();
  struct statvfs status {};
  if (::statvfs(below.c_str(), &status) != 0) return {};
  if ((status.f_flag & ST_RDONLY) != 0) {
    return fmt::format(
        "{0} is read-only: mount it writable (mount -o remount,rw), or mount another "
        "file system at {1}",
        below.string(), folder.string());
  }
  if (status.f_bavail == 0) return fmt::format("make room on the disk of {}", below.string());
  if (status.f_files != 0 && status.f_favail == 0) {
    return fmt::format("there are no inodes left on the disk of {}: remove files", below.string());
  }
  return fmt::format("see `ls -ld {0}`, `lsattr -d {0}` and `df {0}`", below.string());
}

Status CheckSeesHostState(const HostRoot& root) {
  // The number of the first PID namespace is fixed (PROC_PID_INIT_INO, include/linux/proc_ns.h).
  constexpr std::string_view kFirst = "pid:[4026531836]";
  const std::string ours = LinkTarget(root, "/proc/self/ns/pid");
  if (ours.empty()) return OkStatus();  // a kernel without such namespaces
  if (ours != kFirst) return InContainer("it has a PID namespace of its own");
  // A mount namespace alone is no container: what counts is whether the folder is the same one.
  struct stat here {};
  struct stat there {};
  for (const std::string_view path : {kStateFolder, std::string_view("/var/lib")}) {
    const auto outside = root.Path(fmt::format("/proc/1/root{}", path));
    const bool seen_here = ::stat(root.Path(path).c_str(), &here) == 0;
    const bool seen_there = ::stat(outside.c_str(), &there) == 0;
    if (!seen_there && errno != ENOENT) return CannotTell(errno);
    if (!seen_here && !seen_there) continue;
    const bool same =
        seen_here && seen_there && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
    return same ? OkStatus() : InContainer(fmt::format("its {} is not the host's", path));
  }
  return OkStatus();
}

Result<HostLock> HostLock::Acquire(const HostRoot& root) {
  PLECTL_RETURN_IF_ERROR(CheckSeesHostState(root));
  Result<Fd> file = LockedFile(root);
  if (!file) {
    if (file.error().hint.empty()) file.error().hint = HintForState(root);
    return Fail(file.error());
  }
  RemoveInterruptedWrites(root);
  return HostLock(*std::move(file));
}

}  // namespace plectl::host
