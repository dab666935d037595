// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <system_error>

namespace plectl {
namespace {

std::filesystem::path ParentOf(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// A folder may be written to and searched, and yet not be readable.
Result<Fd> OpenFolder(const std::filesystem::path& directory) {
  Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() && errno == EACCES) {
    fd = Fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  if (!fd.valid()) return SystemFailure(fmt::format("open {}", directory.string()), errno);
  return fd;
}

Status SyncFolder(const Fd& folder, const std::filesystem::path& directory) {
  if (::fsync(folder.get()) == 0) return OkStatus();
  // A folder that cannot be read cannot be synced by itself, and some file systems know no such
  // thing.
  if (errno == EBADF || errno == EINVAL) {
    ::sync();
    return OkStatus();
  }
  return SystemFailure(fmt::format("fsync {}", directory.string()), errno);
}

Result<std::string> UnguessableName() {
  uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    return SystemFailure("getrandom", errno);
  }
  return fmt::format(".plectl-{:016x}.tmp", random);
}

// What a file cannot stand in for.
bool IsWrittenInPlace(const std::filesystem::path& path) {
  std::error_code error;  // of an empty path, say, which no file has
  const std::string text = std::filesystem::absolute(path, error).lexically_normal().string();
  if (text.starts_with("/dev/") || text.starts_with("/proc/")) return true;
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 &&
         (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode));
}

Status WriteInPlace(const std::filesystem::path& path, std::string_view text) {
  PLECTL_ASSIGN_OR_RETURN(const Fd file, OpenFile(path, O_WRONLY | O_NOCTTY));
  if (const Status written = WriteAll(file.get(), text); !written) {
    return Fail(WithContext(path.string(), written.error()));
  }
  return OkStatus();
}

}  // namespace

Result<Fd> OpenFile(const std::filesystem::path& path, int flags, unsigned mode) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return SystemFailure(fmt::format("open {}", path.string()), errno);
  return fd;
}

Result<std::string> ReadFile(const std::filesystem::path& path) {
  PLECTL_ASSIGN_OR_RETURN(const Fd file, OpenFile(path, O_RDONLY));
  // Most files are of sysfs and small, and no size is known beforehand.
  constexpr size_t kChunkMin = 512;
  std::string text;
  while (true) {
    const size_t size = text.size();
    text.resize(size + std::max(size, kChunkMin));
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    const int error_number = errno;
    text.resize(size + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && error_number == EINTR) continue;
    if (count < 0) return SystemFailure(fmt::format("read {}", path.string()), error_number);
    if (count == 0) return text;
  }
}

Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemFailure(fmt::format("write of {} bytes", text.size()), errno);
    text.remove_prefix(static_cast<size_t>(count));
  }
  return OkStatus();
}

Result<StagedFile> StagedFile::Create(const std::filesystem::path& path, std::string_view text,
                                      std::optional<unsigned> mode) {
  PLECTL_ASSIGN_OR_RETURN(Fd directory, OpenFolder(ParentOf(path)));
  PLECTL_ASSIGN_OR_RETURN(std::string name, UnguessableName());
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  constexpr unsigned kDefaultMode = 0644;
  Fd file(::openat(directory.get(), name.c_str(), kFlags, mode.value_or(kDefaultMode)));
  if (!file.valid()) {
    return SystemFailure(fmt::format("create a file in {}", ParentOf(path).string()), errno);
  }
  StagedFile staged(path, std::move(directory), std::move(file), std::move(name));
  const int fd = staged.file_.get();
  if (mode && ::fchmod(fd, *mode) != 0) {
    return SystemFailure(fmt::format("chmod {}", path.string()), errno);
  }
  if (const Status written = WriteAll(fd, text); !written) {
    return Fail(WithContext(path.string(), written.error()));
  }
  if (::fsync(fd) != 0) return SystemFailure(fmt::format("fsync {}", path.string()), errno);
  return staged;
}

StagedFile::~StagedFile() {
  if (file_.valid()) ::unlinkat(directory_.get(), name_.c_str(), 0);
}

Status StagedFile::Commit() {
  const std::string final_name = path_.filename().string();
  if (::renameat(directory_.get(), name_.c_str(), directory_.get(), final_name.c_str()) != 0) {
    return SystemFailure(fmt::format("write {}", path_.string()), errno);
  }
  file_.Reset();
  return SyncFolder(directory_, ParentOf(path_));
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view text,
                           std::optional<unsigned> mode) {
  if (IsWrittenInPlace(path)) return WriteInPlace(path, text);
  PLECTL_ASSIGN_OR_RETURN(StagedFile staged, StagedFile::Create(path, text, mode));
  return staged.Commit();
}

Status RemoveFileDurably(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return OkStatus();
    return SystemFailure(fmt::format("remove {}", path.string()), errno);
  }
  return SyncDirectory(ParentOf(path));
}

Status MakeDirectories(const std::filesystem::path& path) {
  std::error_code error;
  if (path.empty() || std::filesystem::is_directory(path, error)) return OkStatus();
  PLECTL_RETURN_IF_ERROR(MakeDirectories(path.parent_path()));
  constexpr mode_t kLessUmask = 0777;
  if (path.has_filename() && ::mkdir(path.c_str(), kLessUmask) != 0) {
    if (errno == EEXIST && std::filesystem::is_directory(path, error)) return OkStatus();
    return SystemFailure(fmt::format("create directory {}", path.string()), errno);
  }
  return SyncDirectory(ParentOf(path));
}

Status SyncDirectory(const std::filesystem::path& directory) {
  PLECTL_ASSIGN_OR_RETURN(const Fd fd, OpenFolder(directory));
  return SyncFolder(fd, directory);
}

}  // namespace plectl
