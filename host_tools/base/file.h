// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl {

// open(2) with O_CLOEXEC; the error names the path. `mode` is used with O_CREAT only.
Result<Fd> OpenFile(const std::filesystem::path& path, int flags, unsigned mode = 0644);

// The whole file, also of /proc and /sys where the size is not known beforehand.
Result<std::string> ReadFile(const std::filesystem::path& path);

// Writes all of `text` to `fd`, however many write(2) calls that takes. The error does not name the
// file: callers do (WithContext()).
Status WriteAll(int fd, std::string_view text);

// A file that is complete and durable beside `path`, under a name that nobody can guess, and that
// takes its place at Commit(); removed when that is never called. So all that can fail for want of
// room or permission fails before.
class StagedFile {
 public:
  // With `mode` exactly; without, 0644 less the umask. Follows no link that stands in the way.
  static Result<StagedFile> Create(const std::filesystem::path& path, std::string_view text,
                                   std::optional<unsigned> mode = std::nullopt);
  StagedFile(StagedFile&&) noexcept = default;
  StagedFile& operator=(StagedFile&&) = delete;
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  ~StagedFile();
  // Durable when it returns.
  Status Commit();

 private:
  StagedFile(std::filesystem::path path, Fd directory, Fd file, std::string name)
      : path_(std::move(path)),
        directory_(std::move(directory)),
        file_(std::move(file)),
        name_(std::move(name)) {}
  std::filesystem::path path_;
  Fd directory_;  // so that the file stays in one folder, whoever renames that
  Fd file_;
  std::string name_;  // of the file until Commit()
};

// Replaces `path` so that a crash at any moment leaves the old or the new content, never a mixture
// (StagedFile). A device, a FIFO and what is below /dev or /proc is written to instead.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view text,
                           std::optional<unsigned> mode = std::nullopt);

// Removes `path` and fsyncs its directory, so that it stays removed after a power loss. A file that
// is not there is a success.
Status RemoveFileDurably(const std::filesystem::path& path);

// mkdir -p; the entries of what it makes are durable.
Status MakeDirectories(const std::filesystem::path& path);

// Makes the entries of `directory` durable.
Status SyncDirectory(const std::filesystem::path& directory);

}  // namespace plectl
