// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/thread_clocks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "host_tools/base/file.h"
#include "host_tools/base/proc_stat.h"
#include "host_tools/base/text.h"

namespace plectl::guests {
namespace {

constexpr uint64_t kNsPerS = 1'000'000'000;
constexpr size_t kGuestTimeField = 43;  // proc(5)

// `count_of` the text of a thread's file.
template <class CountOf>
Count OfFile(pid_t tid, std::string_view name, CountOf count_of) {
  const Result<std::string> text = ReadFile(fmt::format("/proc/self/task/{}/{}", tid, name));
  return text ? count_of(*text) : Count::Missing(text.error().message);
}

}  // namespace

Count Difference(const Count& end, const Count& begin) {
  if (!end.has_value()) return end;
  if (!begin.has_value()) return begin;
  if (end.value() < begin.value()) return Count::Missing("the kernel's account went backwards");
  return end.value() - begin.value();
}

ThreadClocks operator-(const ThreadClocks& end, const ThreadClocks& begin) {
  return {.guest_ns = Difference(end.guest_ns, begin.guest_ns),
          .run_delay_ns = Difference(end.run_delay_ns, begin.run_delay_ns)};
}

Count GuestNsOf(std::string_view stat, long ticks_per_s) {
  const std::optional<uint64_t> ticks = ProcStatField(stat, kGuestTimeField);
  if (!ticks || ticks_per_s <= 0) return Count::Missing("no guest time in /proc/PID/task/TID/stat");
  return *ticks * (kNsPerS / static_cast<uint64_t>(ticks_per_s));
}

Count RunDelayNsOf(std::string_view schedstat) {
  const auto fields = Split(Trim(schedstat), ' ');
  const auto run_ns = ParseUint(fields.front());
  const auto delay_ns = fields.size() > 1 ? ParseUint(fields[1]) : std::nullopt;
  if (!run_ns || !delay_ns) return Count::Missing("no run delay in /proc/PID/task/TID/schedstat");
  // Kernels without CONFIG_SCHED_INFO have the file, and zeros in it.
  if (*run_ns == 0 && *delay_ns == 0) return Count::Missing("this kernel does not count run delay");
  return *delay_ns;
}

Count CredibleGuestNs(const Count& guest_ns, uint64_t cpu_ns) {
  constexpr uint64_t kCredibleMaxNs = 50'000'000;
  if (guest_ns != Count(0) || cpu_ns < kCredibleMaxNs) return guest_ns;
  return Count::Missing(
      fmt::format("the kernel gave none of the thread's {} ms to the guest", cpu_ns / 1'000'000));
}

OwnRunDelay::OwnRunDelay() : file_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}

Count OwnRunDelay::Read() const {
  std::array<char, 64> text{};
  const ssize_t size = ::pread(file_.get(), text.data(), text.size(), 0);
  if (size < 0) return Count::Missing("reading /proc/thread-self/schedstat failed");
  return RunDelayNsOf(std::string_view(text.data(), static_cast<size_t>(size)));
}

Count StoppedNs(int64_t active_ns, int64_t cpu_ns, const Count& run_delay_ns,
                const Count& slept_ns) {
  if (!run_delay_ns.has_value()) return run_delay_ns;
  if (!slept_ns.has_value()) return slept_ns;
  const uint64_t idle_ns = static_cast<uint64_t>(std::max<int64_t>(0, active_ns - cpu_ns));
  const uint64_t known_ns = run_delay_ns.value() + slept_ns.value();
  return idle_ns > known_ns ? idle_ns - known_ns : 0;
}

std::vector<ThreadClocks> ReadThreadClocks(std::span<const pid_t> tids) {
  const long ticks_per_s = ::sysconf(_SC_CLK_TCK);
  std::vector<ThreadClocks> clocks;
  for (const pid_t tid : tids) {
    const auto guest_ns = [&](std::string_view stat) { return GuestNsOf(stat, ticks_per_s); };
    clocks.push_back({.guest_ns = OfFile(tid, "stat", guest_ns),
                      .run_delay_ns = OfFile(tid, "schedstat", RunDelayNsOf)});
  }
  return clocks;
}

}  // namespace plectl::guests
