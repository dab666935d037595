// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

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

}  // namespace

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
  std::string name = (parent / "XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return SystemFailure(fmt::format("create a directory in {}", parent.string()), errno);
  }
  PLECTL_ASSIGN_OR_RETURN(Fd lock, OpenFile(name, O_RDONLY | O_DIRECTORY));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return SystemFailure(fmt::format("lock {}", name), errno);
  }
  return ScratchDirectory(name, std::move(lock));
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

ScratchDirectory::~ScratchDirectory() {
  std::error_code error;  // nothing can be done; the next Create() tries again
  if (!path_.empty()) fs::remove_all(path_, error);
}

}  // namespace plectl::lab
