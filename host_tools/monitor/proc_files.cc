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
enum StatField { kFirstAfterName = 3, kUser = 14, kSystem = 15, kStart = 22, kGuest = 43 };

uint64_t Number(std::string_view word) {
  uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

void Store(int field, std::string_view word, ThreadTimes& times) {
  switch (field) {
    case kUser:
      times.user_ticks = Number(word);
      return;
    case kSystem:
      times.system_ticks = Number(word);
      return;
    case kStart:
      times.start_ticks = Number(word);
      return;
    case kGuest:
      times.guest_ticks = Number(word);
      return;
    default:
      return;
  }
}

}  // namespace

std::optional<ThreadTimes> ParseThreadStat(std::string_view stat) {
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(name_end + 2);
  ThreadTimes times;
  for (int field = kFirstAfterName; field <= kGuest; ++field) {
    if (stat.empty()) return std::nullopt;
    const size_t end = stat.find(' ');
    Store(field, stat.substr(0, end), times);
    stat.remove_prefix(end == std::string_view::npos ? stat.size() : end + 1);
  }
  // The kernel's user time has the guest's in it; both are scaled, so it may be a little less.
  times.user_ticks -= times.guest_ticks < times.user_ticks ? times.guest_ticks : times.user_ticks;
  return times;
}

std::optional<uint64_t> ParseRunDelayNs(std::string_view schedstat) {
  const size_t begin = schedstat.find(' ');
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string_view word = schedstat.substr(begin + 1);
  uint64_t value = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

ProcFiles::ProcFiles(const HostRoot& root) : root_(root.is_real() ? "" : root.Path("/").string()) {
  while (root_.ends_with('/')) root_.pop_back();
}

std::optional<std::string_view> ProcFiles::Read(const char* path) {
  const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = fd.valid() ? ::read(fd.get(), buffer_.data(), buffer_.size()) : -1;
  error_ = bytes < 0 ? errno : 0;
  if (bytes < 0) return std::nullopt;
  return std::string_view(buffer_.data(), static_cast<size_t>(bytes));
}

std::optional<uint64_t> ProcFiles::ProcessStartTicks(pid_t pid) {
  std::array<char, kPathMax> path = {};
  fmt::format_to_n(path.data(), path.size() - 1, "{}/proc/{}/stat", root_, pid);
  const auto text = Read(path.data());
  const auto times = text ? ParseThreadStat(*text) : std::nullopt;
  return times ? std::optional(times->start_ticks) : std::nullopt;
}

ThreadState ProcFiles::ReadThread(pid_t pid, pid_t tid, ThreadTimes& times) {
  std::array<char, kPathMax> path = {};
  fmt::format_to_n(path.data(), path.size() - 1, "{}/proc/{}/task/{}/stat", root_, pid, tid);
  const auto stat = Read(path.data());
  if (!stat)
    return error_ == ENOENT || error_ == ESRCH ? ThreadState::kGone : ThreadState::kUnreadable;
  const auto parsed = ParseThreadStat(*stat);
  if (!parsed) return ThreadState::kUnreadable;
  times = *parsed;
  path = {};
  fmt::format_to_n(path.data(), path.size() - 1, "{}/proc/{}/task/{}/schedstat", root_, pid, tid);
  if (const auto schedstat = Read(path.data())) times.run_delay_ns = ParseRunDelayNs(*schedstat);
  return ThreadState::kThere;
}

}  // namespace plectl::monitor
