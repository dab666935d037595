// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::lab {

// Follows a text file that another process appends to, without polling (inotify(7)): nothing runs
// until the file grows.
class FileFollower {
 public:
  // Whole lines that are there already are skipped. The file need not exist yet; its directory is
  // created. An unfinished last line counts as not there: it will be cut off or finished.
  static Result<FileFollower> Start(const std::filesystem::path& file);

  // Readable when there may be something new.
  [[nodiscard]] int fd() const { return inotify_.get(); }
  // The lines that were finished since the last call, without their newlines. An Inconclusive
  // error when the file has become shorter than what was sent already.
  Result<std::vector<std::string>> NewLines();

 private:
  FileFollower(std::filesystem::path file, Fd inotify)
      : file_(std::move(file)), inotify_(std::move(inotify)) {}
  void ForgetEvents() const;
  Result<std::string> ReadFrom(uint64_t offset) const;

  std::filesystem::path file_;
  Fd inotify_;
  uint64_t offset_ = 0;  // of the first byte that belongs to no finished line
};

}  // namespace plectl::lab
