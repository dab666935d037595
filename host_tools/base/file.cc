// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace plectl {
namespace {

std::filesystem::path ParentOf(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

Status WriteAndSync(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  PLECTL_ASSIGN_OR_RETURN(const Fd file, OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  if (Status written = WriteAll(file.get(), text); !written) {
    return Fail(WithContext(path.string(), written.error()));
  }
  if (::fsync(file.get()) != 0) return SystemFailure(fmt::format("fsync {}", path.string()), errno);
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

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view text,
                           unsigned mode) {
  const std::filesystem::path temporary = path.string() + ".tmp";
  PLECTL_RETURN_IF_ERROR(WriteAndSync(temporary, text, mode));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return SystemFailure(fmt::format("rename {} to {}", temporary.string(), path.string()), errno);
  }
  return SyncDirectory(ParentOf(path));
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
  std::filesystem::create_directories(path, error);
  if (error) return SystemFailure(fmt::format("create directory {}", path.string()), error.value());
  return OkStatus();
}

Status SyncDirectory(const std::filesystem::path& directory) {
  PLECTL_ASSIGN_OR_RETURN(const Fd fd, OpenFile(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) {
    return SystemFailure(fmt::format("fsync {}", directory.string()), errno);
  }
  return OkStatus();
}

}  // namespace plectl
