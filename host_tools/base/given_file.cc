// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/given_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host_tools/base/file.h"

namespace plectl {

Failure CannotReadGiven(const std::filesystem::path& path, const Error& error,
                        std::string_view hint) {
  if (::access(path.c_str(), R_OK) != 0 && errno == EACCES) {
    return Environment(error.message, "run plectl as a user who may read it (sudo)");
  }
  return BadInput(error.message, std::string(hint));
}

Result<std::string> ReadGivenFile(const std::filesystem::path& path, size_t bytes_max,
                                  std::string_view hint) {
  const Result<Fd> file = OpenFile(path, O_RDONLY);
  if (!file) return CannotReadGiven(path, file.error(), hint);
  constexpr size_t kChunk = size_t{64} << 10;
  std::string text;
  while (text.size() <= bytes_max) {
    const size_t size = text.size();
    text.resize(size + kChunk);
    const ssize_t count = ::read(file->get(), text.data() + size, kChunk);
    const int error_number = errno;
    text.resize(size + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && error_number == EINTR) continue;
    if (count < 0) {
      const Failure failed = SystemFailure(fmt::format("read {}", path.string()), error_number);
      return CannotReadGiven(path, failed.value(), hint);
    }
    if (count == 0) return text;
  }
  return BadInput(fmt::format("{}: more than {} bytes", path.string(), bytes_max),
                  std::string(hint));
}

}  // namespace plectl
