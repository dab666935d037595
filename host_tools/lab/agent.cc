// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/file.h"
#include "host_tools/lab/follower.h"
#include "host_tools/lab/frame.h"
#include "host_tools/lab/hello.h"
#include "host_tools/lab/job.h"
#include "host_tools/lab/job_memory.h"

namespace plectl::lab {
namespace {

constexpr int kSignalExitCode = 128;  // plus the signal's number, as shells do

Status Send(ByteSink& sink, FrameType type, std::string payload) {
  if (payload.size() > kFramePayloadMax) {
    return Inconclusive(fmt::format("a line of {} bytes is too long to leave the lab (at most {})",
                                    payload.size(), kFramePayloadMax));
  }
  return sink.Write(EncodeFrame({type, std::move(payload)}));
}

// Sends what the pipe `fd` holds now; false at its end.
Result<bool> ForwardPipe(int fd, FrameType type, ByteSink& sink) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return true;
    if (count < 0) return SystemFailure("read the job's output", errno);
    if (count == 0) return false;
    PLECTL_RETURN_IF_ERROR(
        Send(sink, type, std::string(buffer.data(), static_cast<size_t>(count))));
  }
}

Status ForwardLines(FileFollower& follower, ByteSink& sink) {
  PLECTL_ASSIGN_OR_RETURN(std::vector<std::string> lines, follower.NewLines());
  for (const std::string& line : lines) {
    PLECTL_ASSIGN_OR_RETURN(const std::vector<Frame> frames, FramesOfRecord(line));
    for (const Frame& frame : frames) PLECTL_RETURN_IF_ERROR(sink.Write(EncodeFrame(frame)));
  }
  return OkStatus();
}

// The running job and its three outputs.
class RunningJob {
 public:
  RunningJob(Child child, std::optional<FileFollower> follower, ByteSink& sink)
      : child_(std::move(child)), follower_(std::move(follower)), sink_(sink) {
    for (const int fd : {child_.stdout_fd(), child_.stderr_fd()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }

  // Forwards until the job has ended; returns its exit code.
  Result<int> Forward() {
    std::array<pollfd, 4> polls = {{{child_.exit_fd(), POLLIN, 0},
                                    {child_.stdout_fd(), POLLIN, 0},
                                    {child_.stderr_fd(), POLLIN, 0},
                                    {follower_ ? follower_->fd() : -1, POLLIN, 0}}};
    while (true) {
      if (::poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR) {
        return SystemFailure("poll of the job", errno);
      }
      // What is readable when the job has ended is its last output: forward, then look at the end.
      PLECTL_RETURN_IF_ERROR(ForwardAll(polls[1], polls[2]));
      if (polls[0].revents != 0) return ExitCode();
    }
  }

 private:
  Status ForwardAll(pollfd& out, pollfd& err) {
    if (follower_) PLECTL_RETURN_IF_ERROR(ForwardLines(*follower_, sink_));
    PLECTL_ASSIGN_OR_RETURN(const bool more_out,
                            ForwardPipe(child_.stdout_fd(), FrameType::kStdout, sink_));
    PLECTL_ASSIGN_OR_RETURN(const bool more_err,
                            ForwardPipe(child_.stderr_fd(), FrameType::kStderr, sink_));
    if (!more_out) out.fd = -1;
    if (!more_err) err.fd = -1;
    return OkStatus();
  }

  Result<int> ExitCode() {
    PLECTL_ASSIGN_OR_RETURN(const std::optional<ChildExit> exit,
                            child_.Wait(std::chrono::milliseconds(0)));
    if (!exit) return Internal("the job's process has ended and has not");
    return exit->signal == 0 ? exit->exit_code : kSignalExitCode + exit->signal;
  }

  Child child_;
  std::optional<FileFollower> follower_;
  ByteSink& sink_;
};

Result<int> RunJob(const LabJob& job, ByteSink& sink, const JobStarter& start) {
  std::optional<FileFollower> follower;
  if (!job.follow_file.empty()) {
    PLECTL_ASSIGN_OR_RETURN(follower, FileFollower::Start(job.follow_file));
  }
  ChildOptions options;
  options.argv = job.argv;
  options.environment.assign(job.environment.begin(), job.environment.end());
  Result<Child> child = start(options);
  if (!child) {
    PLECTL_RETURN_IF_ERROR(
        Send(sink, FrameType::kStderr, fmt::format("plectl: {}\n", child.error().Text())));
    return static_cast<int>(child.error().kind);
  }
  return RunningJob(*std::move(child), std::move(follower), sink).Forward();
}

// Not allowed without privilege (unit tests): then the agent is merely less punctual. Children
// start with the default policy.
void RunBeforeOthers() {
  const sched_param parameters{.sched_priority = 1};
  ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
}

void Delay(uint64_t tsc_cycles) {
  const uint64_t start = __builtin_ia32_rdtsc();
  while (__builtin_ia32_rdtsc() - start < tsc_cycles) {
  }
}

}  // namespace

Status ReceiveJob(const HostRoot& root, ByteSink& sink) {
  using FileMap = std::map<std::string, std::string>;
  PLECTL_ASSIGN_OR_RETURN(const FileMap files, AwaitJobInMemory(sink));
  for (const auto& [path, content] : files) {
    const std::filesystem::path file = root.Path(path);
    PLECTL_RETURN_IF_ERROR(MakeDirectories(file.parent_path()));
    PLECTL_ASSIGN_OR_RETURN(const Fd fd, OpenFile(file, O_WRONLY | O_CREAT | O_TRUNC, 0755));
    PLECTL_RETURN_IF_ERROR(WriteAll(fd.get(), content));
  }
  return OkStatus();
}

Status RunAgent(const HostRoot& root, const std::filesystem::path& job_file, ByteSink& sink,
                const JobStarter& start) {
  PLECTL_ASSIGN_OR_RETURN(const std::string text, ReadFile(job_file));
  PLECTL_ASSIGN_OR_RETURN(const LabJob job, JobFromJson(text));
  Delay(job.delay_tsc_cycles);
  PLECTL_ASSIGN_OR_RETURN(const LabHello hello, DescribeMachine(root));
  PLECTL_RETURN_IF_ERROR(Send(sink, FrameType::kHello, HelloToJson(hello)));
  RunBeforeOthers();
  PLECTL_ASSIGN_OR_RETURN(const int exit_code, RunJob(job, sink, start));
  return Send(sink, FrameType::kExit, std::to_string(exit_code));
}

}  // namespace plectl::lab
