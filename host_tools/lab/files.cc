// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "host_tools/base/file.h"
#include "host_tools/base/stop.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

Status Check(const std::error_code& error, std::string_view tried, const fs::path& path) {
  if (!error) return OkStatus();
  return SystemFailure(fmt::format("{} {}", tried, path.string()), error.value());
}

// Removes the directories in `parent` that nobody holds. The caller holds the parent's lock, so
// none is between its creation and its lock. What cannot be removed is left to the next time.
void RemoveAbandoned(const fs::path& parent) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
    const Fd directory(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid() || ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) continue;
    fs::remove_all(entry.path(), error);
  }
}

// A path in `parent` that does not exist, and is not going to unless we make it: 64 random bits.
Result<fs::path> UnusedPath(const fs::path& parent) {
  uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    return SystemFailure("getrandom", errno);
  }
  fs::path path = parent / fmt::format("{:016x}", random);
  std::error_code error;
  if (fs::exists(path, error)) return Internal(fmt::format("{} exists already", path.string()));
  return path;
}

// Copies the bytes [begin, end).
Status CopyRange(const Fd& from, const Fd& to, off_t begin, off_t end) {
  off_t in = begin;
  off_t out = begin;
  while (in < end) {
    const ssize_t copied =
        ::copy_file_range(from.get(), &in, to.get(), &out, static_cast<size_t>(end - in), 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) return SystemFailure("copy_file_range", errno);
  }
  return OkStatus();
}

}  // namespace

Status CopySparse(const fs::path& from, const fs::path& to) {
  PLECTL_ASSIGN_OR_RETURN(const Fd source, OpenFile(from, O_RDONLY));
  PLECTL_ASSIGN_OR_RETURN(const Fd copy, OpenFile(to, O_WRONLY | O_CREAT | O_TRUNC));
  const off_t size = ::lseek(source.get(), 0, SEEK_END);
  if (size < 0 || ::ftruncate(copy.get(), size) != 0) {
    return SystemFailure(fmt::format("copy {} to {}", from.string(), to.string()), errno);
  }
  off_t end = 0;
  while (true) {
    const off_t begin = ::lseek(source.get(), end, SEEK_DATA);
    if (begin < 0) return OkStatus();  // ENXIO: only a hole is left
    end = ::lseek(source.get(), begin, SEEK_HOLE);
    if (const Status copied = CopyRange(source, copy, begin, end); !copied) {
      return Fail(
          WithContext(fmt::format("copy {} to {}", from.string(), to.string()), copied.error()));
    }
  }
}

Status LinkInto(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  return error ? CopyInto(from, to) : OkStatus();
}

Status CheckOwnDirectory(const fs::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    if (errno == ENOENT) return OkStatus();
    return SystemFailure(fmt::format("look at {}", directory.string()), errno);
  }
  if (!S_ISDIR(status.st_mode)) {
    return BadInput(fmt::format("{} is not a directory", directory.string()));
  }
  if (status.st_uid != ::geteuid()) {
    return Environment(
        fmt::format("the lab's folder {} is user {}'s, and this is user {}: what lies in it would "
                    "run with the rights of the latter",
                    directory.string(), status.st_uid, ::geteuid()),
        "give another folder with --lab-dir (or PLECTL_LAB_DIR), or run plectl as its owner");
  }
  const bool own_group = status.st_gid == ::getegid();
  const mode_t others = own_group ? S_IWOTH : S_IWOTH | S_IWGRP;
  if ((status.st_mode & others) == 0) return OkStatus();
  return Environment(
      fmt::format("others may write into the lab's folder {} (mode {:04o})", directory.string(),
                  status.st_mode & 07777),
      fmt::format("look through what is in it, then: chmod go-w '{}'", directory.string()));
}

Status CopyInto(const fs::path& from, const fs::path& to) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(to.parent_path()));
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  return Check(error, "copy", from);
}

Status MoveInto(const fs::path& from, const fs::path& to) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(to.parent_path()));
  std::error_code error;
  if (fs::is_directory(to, error)) fs::remove_all(to, error);
  fs::rename(from, to, error);
  PLECTL_RETURN_IF_ERROR(Check(error, "move into place", to));
  return SyncDirectory(to.parent_path());
}

Result<Fd> LockFile(const fs::path& file) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(file.parent_path()));
  PLECTL_ASSIGN_OR_RETURN(Fd fd, OpenFile(file, O_RDWR | O_CREAT));
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return SystemFailure(fmt::format("lock {}", file.string()), errno);
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  }
  return fd;
}

Result<ScratchDirectory> ScratchDirectory::Create(const fs::path& parent) {
  PLECTL_ASSIGN_OR_RETURN(const Fd parent_lock, LockFile(parent.string() + ".lock"));
  PLECTL_RETURN_IF_ERROR(MakeDirectories(parent));
  RemoveAbandoned(parent);
  PLECTL_ASSIGN_OR_RETURN(const fs::path path, UnusedPath(parent));
  PLECTL_ASSIGN_OR_RETURN(Janitor janitor, Janitor::Start(path));
  if (::mkdir(path.c_str(), 0700) != 0) {
    return SystemFailure(fmt::format("create the directory {}", path.string()), errno);
  }
  PLECTL_ASSIGN_OR_RETURN(Fd lock, OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return SystemFailure(fmt::format("lock {}", path.string()), errno);
  }
  return ScratchDirectory(path, std::move(lock), std::move(janitor));
}

}  // namespace plectl::lab
