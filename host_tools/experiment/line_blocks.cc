// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/line_blocks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "host_tools/base/file.h"

namespace plectl::experiment {
namespace {

constexpr size_t kReadBytes = size_t{2} << 20;
constexpr size_t kStartBytes = 8;

}  // namespace

Result<LineBlocks> LineBlocks::Open(const std::filesystem::path& path, size_t line_bytes_max) {
  PLECTL_ASSIGN_OR_RETURN(Fd file, OpenFile(path, O_RDONLY));
  return LineBlocks(std::move(file), path, line_bytes_max);
}

Result<std::optional<LineBlock>> LineBlocks::Next() {
  for (size_t searched = 0;;) {
    const size_t first = rest_.find('\n', searched);
    if (first != std::string::npos) return std::optional<LineBlock>(TakeLines(first));
    if (rest_.size() > line_bytes_max_) {
      dropped_ += rest_.size();
      rest_.clear();
    }
    searched = rest_.size();
    PLECTL_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) return std::optional<LineBlock>();
  }
}

// The first newline of `rest_` is at `first`.
LineBlock LineBlocks::TakeLines(size_t first) {
  LineBlock block;
  block.offset = offset_;
  const size_t bytes = dropped_ > 0 ? first + 1 : rest_.rfind('\n') + 1;
  offset_ += dropped_ + bytes;
  std::string rest = rest_.substr(bytes);
  if (dropped_ > 0) {
    block.too_long_bytes = dropped_ + first;
  } else {
    rest_.resize(bytes);
    block.lines = std::move(rest_);
  }
  dropped_ = 0;
  rest_ = std::move(rest);
  return block;
}

Result<bool> LineBlocks::ReadMore() {
  const size_t before = rest_.size();
  rest_.resize(before + kReadBytes);
  ssize_t count = 0;
  do {
    count = ::read(file_.get(), rest_.data() + before, kReadBytes);
  } while (count < 0 && errno == EINTR);
  const int error_number = errno;
  rest_.resize(before + (count > 0 ? static_cast<size_t>(count) : 0));
  if (count < 0) return SystemFailure(fmt::format("read {}", path_.string()), error_number);
  return count > 0;
}

Result<std::string> LineBlocks::ReadStart() {
  PLECTL_RETURN_IF_ERROR(ReadMore());
  return rest_.substr(0, kStartBytes);
}

Status LineBlocks::Rewind() {
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) {
    return SystemFailure(fmt::format("read {} from its start again", path_.string()), errno);
  }
  rest_.clear();
  offset_ = dropped_ = 0;
  return OkStatus();
}

}  // namespace plectl::experiment
