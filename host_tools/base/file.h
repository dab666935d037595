// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl {

// open(2) with O_CLOEXEC; the error names the path. `mode` is used with O_CREAT only.
Result<Fd> OpenFile(const std::filesystem::path& path, int flags, unsigned mode = 0644);

// The whole file, also of /proc and /sys where the size is not known beforehand.
Result<std::string> ReadFile(const std::filesystem::path& path);

// Writes all of `text` to `fd`, however many write(2) calls that takes.
Status WriteAll(int fd, std::string_view text);

// Replaces `path` so that a crash at any moment leaves the old or the new content, never a mixture:
// temporary file in the same directory, fsync, rename, fsync of the directory.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view text,
                           unsigned mode = 0644);

// Removes `path` and fsyncs its directory, so that it stays removed after a power loss. A file that
// is not there is a success.
Status RemoveFileDurably(const std::filesystem::path& path);

// mkdir -p.
Status MakeDirectories(const std::filesystem::path& path);

// Makes the entries of `directory` durable.
Status SyncDirectory(const std::filesystem::path& directory);

}  // namespace plectl
