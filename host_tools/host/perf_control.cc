// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/perf_control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "host_tools/base/stop.h"
#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

using Clock = std::chrono::steady_clock;

// perf's answer; it sends the string's terminating 0 along.
constexpr std::string_view kAnswer = "ack\n";
// Between two looks whether perf has opened its FIFO, and whether a stop was requested.
constexpr std::chrono::milliseconds kStep{50};

std::string Hint(const PerfControlPaths& paths) {
  return fmt::format(
      "start 'perf kvm stat record -a -D -1 --control=fifo:{},{}' before the sweep, "
      "and stop it afterwards",
      paths.control, paths.acknowledge);
}

Status CheckIsFifo(const Fd& fd, const std::string& path) {
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return SystemFailure("fstat " + path, errno);
  if (S_ISFIFO(about.st_mode)) return OkStatus();
  return BadInput(fmt::format("--perf-control: {} is no FIFO", path), "make one with mkfifo");
}

Result<Fd> OpenFifo(const std::string& path, int access) {
  Fd fd(::open(path.c_str(), access | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return SystemFailure("open " + path, errno, "make it with mkfifo");
  PLECTL_RETURN_IF_ERROR(CheckIsFifo(fd, path));
  return fd;
}

// For writing, as soon as somebody reads it: until then open() says ENXIO.
Result<Fd> OpenControl(const PerfControlPaths& paths, std::chrono::milliseconds limit) {
  PLECTL_RETURN_IF_ERROR(OpenFifo(paths.control, O_RDONLY));
  const auto deadline = Clock::now() + limit;
  for (;;) {
    const Fd fd(::open(paths.control.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    // From here on with a reader of our own: a perf that ends must not end us by SIGPIPE.
    if (fd.valid()) return OpenFifo(paths.control, O_RDWR);
    if (errno != ENXIO) return SystemFailure("open " + paths.control, errno);
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
    if (Clock::now() >= deadline) {
      return Environment(
          fmt::format("no perf has opened {} within {} ms", paths.control, limit.count()),
          Hint(paths));
    }
    std::this_thread::sleep_for(kStep);
  }
}

}  // namespace

Result<PerfControlPaths> ParsePerfControl(std::string_view text) {
  const auto parts = Split(text, ',');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
    return BadInput(fmt::format("--perf-control {}: not two paths", text),
                    "give it what perf gets: 'perf record -D -1 --control=fifo:CTL,ACK' and "
                    "'--perf-control CTL,ACK'");
  }
  return PerfControlPaths{std::string(parts[0]), std::string(parts[1])};
}

Result<PerfControl> PerfControl::Open(const PerfControlPaths& paths,
                                      std::chrono::milliseconds limit) {
  PLECTL_ASSIGN_OR_RETURN(Fd acknowledge, OpenFifo(paths.acknowledge, O_RDONLY));
  PLECTL_ASSIGN_OR_RETURN(Fd control, OpenControl(paths, limit));
  return PerfControl(paths, std::move(control), std::move(acknowledge), limit);
}

Status PerfControl::Command(std::string_view command) {
  DropOldAnswers();
  const std::string line = fmt::format("{}\n", command);
  if (::write(control_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return SystemFailure(fmt::format("write {} to {}", command, paths_.control), errno,
                         Hint(paths_));
  }
  return AwaitAnswer(command);
}

void PerfControl::DropOldAnswers() const {
  std::array<char, 64> bytes{};
  while (::read(acknowledge_.get(), bytes.data(), bytes.size()) > 0) {
  }
}

Status PerfControl::AwaitAnswer(std::string_view command) const {
  const auto deadline = Clock::now() + limit_;
  std::string got;
  while (Clock::now() < deadline) {
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
    pollfd event{acknowledge_.get(), POLLIN, 0};
    ::poll(&event, 1, static_cast<int>(kStep.count()));
    std::array<char, 64> bytes{};
    const ssize_t size = ::read(acknowledge_.get(), bytes.data(), bytes.size());
    if (size > 0) got.append(bytes.data(), static_cast<size_t>(size));
    if (got.find(kAnswer) != std::string::npos) return OkStatus();
    // Nobody has it open for writing: poll() would return at once, for ever.
    if ((event.revents & POLLHUP) != 0) std::this_thread::sleep_for(kStep);
  }
  return Environment(fmt::format("perf did not answer '{}' on {} within {} ms", command,
                                 paths_.acknowledge, limit_.count()),
                     Hint(paths_));
}

}  // namespace plectl::host
