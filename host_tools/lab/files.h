// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/lab/janitor.h"

namespace plectl::lab {

// Copies a file, with its permissions, and creates the directories of `to`.
Status CopyInto(const std::filesystem::path& from, const std::filesystem::path& to);

// Copies a file without writing its holes: a sparse copy.
Status CopySparse(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes `to` another name of the file `from`, or a copy where that cannot be.
Status LinkInto(const std::filesystem::path& from, const std::filesystem::path& to);

// Renames a finished file or directory to its place, durably; one that stood there is replaced.
Status MoveInto(const std::filesystem::path& from, const std::filesystem::path& to);

// Fine when `directory` is not there, or is of the user that we are and nobody else may write into
// it. What lies in a folder of files to start from could be another's else.
Status CheckOwnDirectory(const std::filesystem::path& directory);

// An exclusive flock(2) on `file`, which is created; waits for another holder, but not past a
// stop signal. Released when the Fd closes, also by a crash.
Result<Fd> LockFile(const std::filesystem::path& file);

// A fresh directory below a parent, removed with all it holds when the object is destroyed or the
// process is killed (janitor.h). What even that left behind, as a power loss does, is removed by
// the next Create() with the same parent.
class ScratchDirectory {
 public:
  static Result<ScratchDirectory> Create(const std::filesystem::path& parent);
  ScratchDirectory(ScratchDirectory&& other) noexcept = default;
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() = default;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  ScratchDirectory(std::filesystem::path path, Fd lock, Janitor janitor)
      : path_(std::move(path)), lock_(std::move(lock)), janitor_(std::move(janitor)) {}
  std::filesystem::path path_;
  Fd lock_;  // on the directory itself: while it is held the directory is in use
  Janitor janitor_;
};

}  // namespace plectl::lab
