// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/follower.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::lab {

Result<FileFollower> FileFollower::Start(const std::filesystem::path& file) {
  const std::filesystem::path directory = file.parent_path();
  PLECTL_RETURN_IF_ERROR(MakeDirectories(directory));
  Fd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify.valid()) return SystemFailure("inotify_init1", errno);
  // The directory, not the file: the file may be created or replaced later.
  if (::inotify_add_watch(inotify.get(), directory.c_str(), IN_MODIFY | IN_MOVED_TO) < 0) {
    return SystemFailure(fmt::format("watch {}", directory.string()), errno);
  }
  FileFollower follower(file, std::move(inotify));
  PLECTL_ASSIGN_OR_RETURN(const std::string text, follower.ReadFrom(0));
  follower.offset_ = text.rfind('\n') + 1;  // 0 without one
  return follower;
}

Result<std::vector<std::string>> FileFollower::NewLines() {
  ForgetEvents();
  PLECTL_ASSIGN_OR_RETURN(const std::string text, ReadFrom(offset_));
  const size_t size = text.rfind('\n') + 1;
  if (size == 0) return std::vector<std::string>();
  std::vector<std::string> lines;
  for (const std::string_view line : Split(std::string_view(text).substr(0, size - 1), '\n')) {
    lines.emplace_back(line);
  }
  offset_ += size;
  return lines;
}

void FileFollower::ForgetEvents() const {
  alignas(inotify_event) std::array<char, 4096> events{};
  while (::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
}

Result<std::string> FileFollower::ReadFrom(uint64_t offset) const {
  const Fd file(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT && offset == 0) return std::string();
  if (!file.valid()) return SystemFailure(fmt::format("open {}", file_.string()), errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    return SystemFailure(fmt::format("stat {}", file_.string()), errno);
  }
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size < offset) {
    return Inconclusive(fmt::format("{} became shorter while it was followed", file_.string()));
  }
  std::string text(size - offset, '\0');
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), static_cast<off_t>(offset));
  if (count < 0) return SystemFailure(fmt::format("read {}", file_.string()), errno);
  text.resize(static_cast<size_t>(count));
  return text;
}

}  // namespace plectl::lab
