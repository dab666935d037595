// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::experiment {

// A part of a text: whole lines, each with its newline.
struct LineBlock {
  std::string lines;
  uint64_t offset = 0;  // of its first byte
  // Instead of lines, one that is longer than what was asked for: so many bytes, which are gone.
  uint64_t too_long_bytes = 0;
};

// Cuts a file into blocks of whole lines, in order, and keeps none of them.
class LineBlocks {
 public:
  // No line is kept that is longer than `line_bytes_max`.
  static Result<LineBlocks> Open(const std::filesystem::path& path, size_t line_bytes_max);

  // The next block, or nothing at the end.
  Result<std::optional<LineBlock>> Next();
  // The first bytes of the file; before the first Next().
  Result<std::string> ReadStart();
  // At the end: the bytes of a last line that has no newline.
  [[nodiscard]] uint64_t torn_bytes() const { return rest_.size() + dropped_; }
  // Up to the last whole line that was given out.
  [[nodiscard]] uint64_t complete_bytes() const { return offset_; }
  // From the start again. Fails for what is no file.
  Status Rewind();

 private:
  LineBlocks(Fd file, std::filesystem::path path, size_t line_bytes_max)
      : file_(std::move(file)), path_(std::move(path)), line_bytes_max_(line_bytes_max) {}
  // Whether there was any more.
  Result<bool> ReadMore();
  LineBlock TakeLines(size_t first);

  Fd file_;
  std::filesystem::path path_;
  size_t line_bytes_max_;
  std::string rest_;      // read, but not yet given out
  uint64_t offset_ = 0;   // of the first byte of `rest_`, or of what was dropped before it
  uint64_t dropped_ = 0;  // of the beginning of a line that is too long
};

}  // namespace plectl::experiment
