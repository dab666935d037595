// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "host_tools/base/stop.h"

namespace plectl {
namespace {

// The streams live as long as the process, and so does what is known of them.
struct Stream {
  int fd;
  std::atomic<int> error = 0;  // of the first write that failed
};
Stream g_out{STDOUT_FILENO};
Stream g_err{STDERR_FILENO};

// Waits until `fd` takes something; false when a stop is requested first. A reader that hangs must
// not keep us from restoring the host.
bool AwaitWritable(int fd) {
  std::array<pollfd, 2> polls = {{{fd, POLLOUT, 0}, {StopSignal::installed_fd(), POLLIN, 0}}};
  while (::poll(polls.data(), polls.size(), -1) < 0) {
    if (errno != EINTR) return true;  // write(2) tells what is wrong
  }
  return polls[0].revents != 0;
}

// A pipe that is writable takes PIPE_BUF bytes without blocking (pipe(7)).
int WriteUnlessStopped(int fd, std::string_view text) {
  while (!text.empty()) {
    if (!AwaitWritable(fd)) return EINTR;
    const ssize_t count = ::write(fd, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (count >= 0) {
      text.remove_prefix(static_cast<size_t>(count));
    } else if (errno != EAGAIN && (errno != EINTR || StopSignal::requested())) {
      return errno;
    }
  }
  return 0;
}

ssize_t WriteCookie(void* cookie, const char* data, size_t size) {
  auto& stream = *static_cast<Stream*>(cookie);
  const int error = WriteUnlessStopped(stream.fd, {data, size});
  int none = 0;
  if (error != 0) stream.error.compare_exchange_strong(none, error);
  return static_cast<ssize_t>(size);
}

// The other direction than the descriptor is meant for, so that its use fails; a folder does for
// that where there is no /dev/null.
void OpenIfClosed(int fd, int flags) {
  if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) return;
  const int opened = ::open("/dev/null", flags);  // gets the lowest free number, which is `fd`
  if (opened < 0) ::open("/", O_RDONLY | O_DIRECTORY);
}

FILE* OpenNeverFailing(Stream& stream, int buffering) {
  FILE* const file = ::fopencookie(&stream, "w", {nullptr, WriteCookie, nullptr, nullptr});
  if (file != nullptr) std::setvbuf(file, nullptr, buffering, BUFSIZ);
  return file;
}

}  // namespace

void PrepareStandardStreams() {
  OpenIfClosed(STDIN_FILENO, O_WRONLY);
  OpenIfClosed(STDOUT_FILENO, O_RDONLY);
  OpenIfClosed(STDERR_FILENO, O_RDONLY);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  FILE* const out = OpenNeverFailing(g_out, terminal ? _IOLBF : _IOFBF);
  FILE* const err = OpenNeverFailing(g_err, _IONBF);
  if (out != nullptr) stdout = out;
  if (err != nullptr) stderr = err;
}

Status FlushStandardOutput() {
  int error = std::fflush(stdout) == 0 ? 0 : errno;
  if (g_out.error != 0) error = g_out.error;
  if (error == 0) return OkStatus();
  std::string hint;
  if (error == EBADF) hint = "stdout is closed: give it a file or a reader";
  if (error == ENOSPC || error == EDQUOT) hint = "make room on the disk";
  return SystemFailure("write to stdout", error, std::move(hint));
}

bool StandardOutputHasNoReader() { return g_out.error == EPIPE; }

}  // namespace plectl
