// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/experiment/run_log.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;

Result<off_t> SizeOf(int fd, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return SystemFailure(fmt::format("stat {}", path.string()), errno);
  if (!S_ISREG(status.st_mode)) return BadInput(fmt::format("{} is no file", path.string()));
  return status.st_size;
}

// The length of the file up to and with its last newline. Reads backwards, block by block, since
// the torn line can be long and the file longer.
Result<off_t> CompleteSize(int fd, off_t size, const std::filesystem::path& path) {
  std::array<char, 4096> block{};
  while (size > 0) {
    const off_t start = std::max<off_t>(0, size - static_cast<off_t>(block.size()));
    const auto wanted = static_cast<size_t>(size - start);
    const ssize_t count = ::pread(fd, block.data(), wanted, start);
    if (count < 0 && errno == EINTR) continue;
    if (count != static_cast<ssize_t>(wanted)) {
      return SystemFailure(fmt::format("read {}", path.string()), count < 0 ? errno : EIO);
    }
    const std::string_view text(block.data(), wanted);
    if (const size_t newline = text.rfind('\n'); newline != std::string_view::npos) {
      return start + static_cast<off_t>(newline) + 1;
    }
    size = start;
  }
  return off_t{0};
}

Status CutTornLine(int fd, const std::filesystem::path& path) {
  PLECTL_ASSIGN_OR_RETURN(const off_t size, SizeOf(fd, path));
  PLECTL_ASSIGN_OR_RETURN(const off_t complete, CompleteSize(fd, size, path));
  if (complete == size) return OkStatus();
  if (::ftruncate(fd, complete) != 0 || ::fsync(fd) != 0) {
    return SystemFailure(fmt::format("cut the torn last line of {}", path.string()), errno);
  }
  return OkStatus();
}

Status Lock(int fd, const std::filesystem::path& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return OkStatus();
  if (errno != EWOULDBLOCK) return SystemFailure(fmt::format("lock {}", path.string()), errno);
  return Environment(fmt::format("{} is being written by another plectl", path.string()),
                     "wait for that sweep to end, or give another --out directory");
}

// Replacement characters for what is not UTF-8 (a reason that quotes a file, say), so that no
// record is lost to it.
std::string LineOf(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string ToLine(const Manifest& manifest) { return LineOf(ToJson(manifest)); }
std::string ToLine(const ControlRecord& control) { return LineOf(ToJson(control)); }
std::string ToLine(const TrialRecord& record) { return LineOf(ToJson(record)); }

Result<RunLogWriter> RunLogWriter::Open(const std::filesystem::path& directory) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(directory));
  const std::filesystem::path path = directory / kRunLogFileName;
  std::error_code error;
  const bool is_new = !std::filesystem::exists(path, error);
  PLECTL_ASSIGN_OR_RETURN(Fd file, OpenFile(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW));
  PLECTL_RETURN_IF_ERROR(Lock(file.get(), path));
  PLECTL_RETURN_IF_ERROR(CutTornLine(file.get(), path));
  // Folders that were made are durable already, and those that were there are not ours.
  PLECTL_RETURN_IF_ERROR(SyncDirectory(directory));
  return RunLogWriter(std::move(file), path, is_new);
}

RunLogWriter::~RunLogWriter() {
  if (!file_.valid() || !is_new_) return;
  const Result<off_t> size = SizeOf(file_.get(), path_);
  if (size && *size == 0) ::unlink(path_.c_str());
}

Status RunLogWriter::Append(const Manifest& manifest) { return AppendLine(ToLine(manifest)); }

Status RunLogWriter::Append(const ControlRecord& control) { return AppendLine(ToLine(control)); }

Status RunLogWriter::Append(const TrialRecord& record) { return AppendLine(ToLine(record)); }

Status RunLogWriter::AppendLine(const std::string& line) {
  PLECTL_ASSIGN_OR_RETURN(const off_t size_before, SizeOf(file_.get(), path_));
  Status written = WriteAll(file_.get(), line);
  if (written && ::fsync(file_.get()) != 0) written = SystemFailure("fsync", errno);
  if (written) return OkStatus();
  Error error = WithContext(fmt::format("append to {}", path_.string()), written.error());
  error.hint = "make room on the disk; the run can be resumed";
  if (::ftruncate(file_.get(), size_before) != 0) {
    error.message += "; a part of the line may be left, which the next session cuts off";
  }
  return Fail(std::move(error));
}

}  // namespace plectl::experiment
