// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host_tools/base/child.h"
#include "host_tools/base/clock.h"
#include "host_tools/base/text.h"

namespace plectl {
namespace {

constexpr size_t kOutputLimitBytes = size_t{64} << 20;

// Reads what is there now into `text`; false at end of file.
Result<bool> Drain(int fd, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return true;
  if (count < 0) return SystemFailure("read from a child", errno);
  text.append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

// Collects both streams until their ends. False when the deadline passed first. Once the child has
// ended, only a process that has left its group can keep them open, which gets little more time.
Result<bool> CollectOutput(const Child& child, ChildOutput& output, int64_t deadline_ns) {
  constexpr int64_t kAfterEndNs = 200'000'000;
  std::array<pollfd, 3> polls = {{{child.stdout_fd(), POLLIN, 0},
                                  {child.stderr_fd(), POLLIN, 0},
                                  {child.exit_fd(), POLLIN, 0}}};
  const std::array<std::string*, 2> texts = {&output.out, &output.err};
  bool ended = false;
  while (polls[0].fd >= 0 || polls[1].fd >= 0) {
    const int64_t left_ms = (deadline_ns - MonotonicNs()) / 1'000'000;
    if (left_ms <= 0) return ended;
    if (::poll(polls.data(), polls.size(), static_cast<int>(left_ms)) < 0 && errno != EINTR) {
      return SystemFailure("poll of a child", errno);
    }
    if (!ended && polls[2].revents != 0) {
      child.KillRest();
      ended = true;
      polls[2].fd = -1;
      deadline_ns = std::min(deadline_ns, MonotonicNs() + kAfterEndNs);
    }
    for (size_t i = 0; i < texts.size(); ++i) {
      if ((polls[i].revents & (POLLIN | POLLHUP)) == 0) continue;
      PLECTL_ASSIGN_OR_RETURN(const bool more, Drain(polls[i].fd, *texts[i]));
      if (!more) polls[i].fd = -1;
    }
    if (output.out.size() + output.err.size() > kOutputLimitBytes) {
      return Environment("it wrote more than 64 MiB");
    }
  }
  return true;
}

Failure Killed(const ChildOptions& options, Child& child, std::string_view why) {
  const ChildUsage usage = child.Kill();
  return Environment(
      fmt::format("{} was killed, since {}; it took {}", options.argv[0], why, usage.Text()));
}

// What may be behind a failure, or "".
std::string LimitText(const ChildOptions& options, const ChildUsage& usage) {
  if (usage.limiter != MemoryLimiter::kAddressSpace) return {};
  return fmt::format(" (each process may map {} MiB of memory, RLIMIT_AS, since {})",
                     options.memory_limit_bytes.value_or(0) >> 20, usage.no_cgroup_because);
}

Failure OverMemoryLimit(const ChildOptions& options, const ChildUsage& usage) {
  return Environment(
      fmt::format("{} was killed: it used more than its limit of {} MiB (cgroup v2, peak {} MiB); "
                  "it took {}",
                  options.argv[0], options.memory_limit_bytes.value_or(0) >> 20,
                  usage.peak_memory_bytes >> 20, usage.Text()));
}

}  // namespace

Result<ChildOutput> RunChild(const ChildOptions& options, std::chrono::milliseconds deadline) {
  const int64_t deadline_ns = MonotonicNs() + deadline.count() * 1'000'000;
  PLECTL_ASSIGN_OR_RETURN(Child child, Child::Start(options));
  ChildOutput output;
  const Result<bool> in_time = CollectOutput(child, output, deadline_ns);
  if (!in_time) return Killed(options, child, in_time.error().message);
  std::optional<ChildExit> exit;
  if (*in_time) {
    const auto left = std::chrono::milliseconds((deadline_ns - MonotonicNs()) / 1'000'000);
    PLECTL_ASSIGN_OR_RETURN(exit, child.Wait(std::max(left, std::chrono::milliseconds(0))));
  }
  if (!exit) {
    return Killed(options, child, fmt::format("it did not end within {} ms", deadline.count()));
  }
  if (exit->usage.exceeded_memory_limit) return OverMemoryLimit(options, exit->usage);
  output.exit = *std::move(exit);
  return output;
}

Result<std::string> RunChildOrFail(const ChildOptions& options,
                                   std::chrono::milliseconds deadline) {
  PLECTL_ASSIGN_OR_RETURN(ChildOutput output, RunChild(options, deadline));
  if (output.exit.ok()) return std::move(output.out);
  const std::string_view last_line = Split(TrimRight(output.err), '\n').back();
  return Environment(fmt::format("{}: {}{}: {}", fmt::join(options.argv, " "), output.exit.Text(),
                                 LimitText(options, output.exit.usage), last_line));
}

}  // namespace plectl
