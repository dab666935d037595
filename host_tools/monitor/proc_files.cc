// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/proc_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "host_tools/base/fd.h"

namespace plectl::monitor {
namespace {

constexpr size_t kPathMax = 512;

// Numbers of fields, from 1 (proc(5)).
enum StatField { kState = 3, kThreads = 20, kStart = 22 };

uint64_t Number(std::string_view word) {
  uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

void Store(int field, std::string_view word, ThreadStat& stat) {
  if (field == kState) stat.has_ended = word == "Z" || word == "X";
  if (field == kThreads) stat.process_threads = Number(word);
  if (field == kStart) stat.start_ticks = Number(word);
}

}  // namespace

std::optional<ThreadStat> ParseThreadStat(std::string_view stat) {
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(name_end + 2);
  ThreadStat parsed;
  for (int field = kState; field <= kStart; ++field) {
    if (stat.empty()) return std::nullopt;
    const size_t end = stat.find(' ');
    Store(field, stat.substr(0, end), parsed);
    stat.remove_prefix(end == std::string_view::npos ? stat.size() : end + 1);
  }
  return parsed;
}

ProcFiles::ProcFiles(const HostRoot& root) : root_(root.is_real() ? "" : root.Path("/").string()) {
  while (root_.ends_with('/')) root_.pop_back();
}

std::optional<ThreadStat> ProcFiles::ReadStat(pid_t pid, pid_t tid) {
  std::array<char, kPathMax> path = {};
  fmt::format_to_n(path.data(), path.size() - 1, "{}/proc/{}/task/{}/stat", root_, pid, tid);
  const Fd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = fd.valid() ? ::read(fd.get(), buffer_.data(), buffer_.size()) : -1;
  error_ = bytes < 0 ? errno : 0;
  if (bytes < 0) return std::nullopt;
  return ParseThreadStat(std::string_view(buffer_.data(), static_cast<size_t>(bytes)));
}

std::optional<uint64_t> ProcFiles::ProcessStartTicks(pid_t pid) {
  const std::optional<ThreadStat> stat = ReadStat(pid, pid);
  // A first thread that has ended may leave others behind.
  if (!stat || (stat->has_ended && stat->process_threads <= 1)) return std::nullopt;
  return stat->start_ticks;
}

bool ProcFiles::MayThreadLive(pid_t pid, pid_t tid, uint64_t start_ticks) {
  const std::optional<ThreadStat> stat = ReadStat(pid, tid);
  if (stat) return !stat->has_ended && stat->start_ticks == start_ticks;
  return error_ != ENOENT && error_ != ESRCH;
}

}  // namespace plectl::monitor
