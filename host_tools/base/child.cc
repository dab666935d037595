// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/base/pipe.h"
#include "host_tools/base/stop.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): unistd.h has it for GNU only

namespace plectl {
namespace {

// Everything that the child needs between fork and exec, made beforehand: after fork() in a process
// with threads only async-signal-safe calls are allowed (signal-safety(7)).
struct ExecPlan {
  std::vector<char*> argv;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;
  const char* working_directory = nullptr;
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  int error_fd = -1;  // errno of a failed exec goes there, minus that of a cgroup not entered
  int cgroup_fd = -1;
  bool new_network_namespace = false;
  std::optional<rlimit> address_space;  // with a cgroup: in case that it cannot be entered
  pid_t parent = 0;
};

void Report(const ExecPlan& plan, int error_number) {
  [[maybe_unused]] const ssize_t written =
      ::write(plan.error_fd, &error_number, sizeof error_number);
}

[[noreturn]] void FailInChild(const ExecPlan& plan) {
  Report(plan, errno);
  ::_exit(127);
}

// A namespace starts with its loopback down; whoever enters it later talks to the child over it.
bool BringLoopbackUp() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP;
  const bool up = fd >= 0 && ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return up;
}

bool EnterNetworkNamespace() {
  const bool entered = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  return entered && BringLoopbackUp();
}

// After every change of credentials: the kernel may forget the request with them (prctl(2)).
void DieWithParent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died before prctl()
}

// Before the program runs, so that nothing of it is outside of the limit.
void LimitMemory(const ExecPlan& plan) {
  if (plan.cgroup_fd >= 0) {
    if (::write(plan.cgroup_fd, "0", 1) == 1) return;
    Report(plan, -errno);
  }
  if (plan.address_space && ::setrlimit(RLIMIT_AS, &*plan.address_space) != 0) FailInChild(plan);
}

// Until the child has left our handlers (PrepareChild()), a signal to it would run them: as if a
// stop had been requested of us.
pid_t ForkWithSignalsBlocked() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int fork_error = errno;
  if (pid != 0) ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = fork_error;
  return pid;
}

// Everything between fork() and the child's program.
void PrepareChild(const ExecPlan& plan) {
  ::setpgid(0, 0);
  DieWithParent(plan.parent);
  ResetAllSignals();
  LimitMemory(plan);
  if (::dup2(plan.stdin_fd, 0) < 0 || ::dup2(plan.stdout_fd, 1) < 0 ||
      ::dup2(plan.stderr_fd, 2) < 0) {
    FailInChild(plan);
  }
  if (plan.working_directory != nullptr && ::chdir(plan.working_directory) != 0) FailInChild(plan);
  if (plan.new_network_namespace) {
    if (!EnterNetworkNamespace()) FailInChild(plan);
    DieWithParent(plan.parent);
  }
}

[[noreturn]] void ExecChild(const ExecPlan& plan) {
  PrepareChild(plan);
  ::execvpe(plan.argv[0], plan.argv.data(), plan.environment.data());
  FailInChild(plan);
}

[[noreturn]] void RunChildBody(const ExecPlan& plan, const std::function<int()>& body) {
  PrepareChild(plan);
  ::close(plan.error_fd);
  environ = const_cast<char**>(plan.environment.data());  // as long as the process lives
  const int exit_code = body();
  std::fflush(nullptr);
  ::_exit(exit_code);
}

// No name stands twice: programs do not agree on which of the two would hold.
std::vector<std::string> MergedEnvironment(const ChildOptions& options) {
  std::vector<std::string> merged;
  for (const auto& [name, value] : options.environment) merged.push_back(name + "=" + value);
  const auto is_replaced = [&](std::string_view entry) {
    return std::ranges::any_of(options.environment, [&](const auto& variable) {
      return entry.substr(0, entry.find('=')) == variable.first;
    });
  };
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!is_replaced(*entry)) merged.emplace_back(*entry);
  }
  return merged;
}

std::vector<char*> NullTerminated(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));  // execve() does not write to them
  }
  pointers.push_back(nullptr);
  return pointers;
}

// A file with `text`, positioned at its start; /dev/null for nothing.
Result<Fd> OpenStandardInput(const std::optional<std::string>& text) {
  if (!text) return OpenFile("/dev/null", O_RDONLY);
  Fd memory(::memfd_create("plectl-stdin", MFD_CLOEXEC));
  if (!memory.valid()) return SystemFailure("memfd_create", errno);
  PLECTL_RETURN_IF_ERROR(WriteAll(memory.get(), *text));
  ::lseek(memory.get(), 0, SEEK_SET);
  return memory;
}

struct ChildStreams {
  Fd standard_input;
  Pipe out;  // or only a write end: the output file
  Pipe err;
};

Result<ChildStreams> OpenStreams(const ChildOptions& options) {
  ChildStreams streams;
  PLECTL_ASSIGN_OR_RETURN(streams.standard_input, OpenStandardInput(options.standard_input));
  if (options.output_file) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND;
    PLECTL_ASSIGN_OR_RETURN(streams.out.write_end, OpenFile(*options.output_file, kFlags));
    streams.err.write_end = Fd(::fcntl(streams.out.write_end.get(), F_DUPFD_CLOEXEC, 0));
    return streams;
  }
  PLECTL_ASSIGN_OR_RETURN(streams.out, MakePipe());
  PLECTL_ASSIGN_OR_RETURN(streams.err, MakePipe());
  return streams;
}

// What went wrong in the child before its program ran: errno, or 0.
struct ExecErrors {
  int start = 0;
  int cgroup = 0;  // it was not entered
};

// Until exec has closed the pipe.
ExecErrors ReadExecErrors(int fd) {
  ExecErrors errors;
  int error_number = 0;
  ssize_t size = 0;
  while ((size = ::read(fd, &error_number, sizeof error_number)) > 0 ||
         (size < 0 && errno == EINTR)) {
    if (size > 0) (error_number < 0 ? errors.cgroup : errors.start) = std::abs(error_number);
  }
  return errors;
}

std::string ExecHint(const ChildOptions& options, int error_number) {
  if (error_number == ENOENT) return fmt::format("install the program {}", options.argv[0]);
  if (options.new_network_namespace && (error_number == EPERM || error_number == ENOSPC)) {
    return "run as root, or allow user namespaces (sysctl user.max_user_namespaces)";
  }
  return {};
}

int64_t ToNs(const timeval& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1000;
}

ChildExit ExitOf(int status, const rusage& used, int64_t wall_ns) {
  ChildExit exit;
  if (WIFEXITED(status)) exit.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
  exit.usage.wall_ns = wall_ns;
  exit.usage.user_ns = ToNs(used.ru_utime);
  exit.usage.system_ns = ToNs(used.ru_stime);
  exit.usage.peak_memory_bytes = static_cast<uint64_t>(used.ru_maxrss) << 10;  // it is in KiB
  return exit;
}

}  // namespace

bool NetworkNamespacesAllowed() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(EnterNetworkNamespace() ? 0 : 1);
  int status = -1;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string ChildExit::Text() const {
  if (signal == 0) return fmt::format("exit code {}", exit_code);
  const char* name = ::sigabbrev_np(signal);
  if (name == nullptr) return fmt::format("signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("SIG{} ({})", name, ::strsignal(signal));
}

std::string ChildUsage::Text() const {
  const auto seconds = [](int64_t ns) { return static_cast<double>(ns) / 1e9; };
  return fmt::format("{:.1f} s (user {:.1f} s, system {:.1f} s), at most {} MiB", seconds(wall_ns),
                     seconds(user_ns), seconds(system_ns), peak_memory_bytes >> 20);
}

Child::Child(pid_t pid, Fd pidfd, Fd out, Fd err)
    : pid_(pid),
      start_ns_(MonotonicNs()),
      pidfd_(std::move(pidfd)),
      stdout_(std::move(out)),
      stderr_(std::move(err)) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      cgroup_(std::move(other.cgroup_)),
      limiter_(other.limiter_),
      no_cgroup_because_(std::move(other.no_cgroup_because_)),
      start_ns_(other.start_ns_),
      pidfd_(std::move(other.pidfd_)),
      stdout_(std::move(other.stdout_)),
      stderr_(std::move(other.stderr_)) {}

Child::~Child() { Kill(); }

Result<Child> Child::Start(const ChildOptions& options) { return Launch(options, {}); }

Result<Child> Child::Fork(const ChildOptions& options, const std::function<int()>& body) {
  return Launch(options, body);
}

Result<Child> Child::Launch(const ChildOptions& options, const std::function<int()>& body) {
  PLECTL_ASSIGN_OR_RETURN(ChildStreams streams, OpenStreams(options));
  PLECTL_ASSIGN_OR_RETURN(Pipe exec_error, MakePipe());
  ExecPlan plan;
  plan.argv = NullTerminated(options.argv);
  plan.environment_text = MergedEnvironment(options);
  plan.environment = NullTerminated(plan.environment_text);
  if (!options.working_directory.empty())
    plan.working_directory = options.working_directory.c_str();
  plan.stdin_fd = streams.standard_input.get();
  plan.stdout_fd = streams.out.write_end.get();
  plan.stderr_fd = streams.err.write_end.get();
  plan.error_fd = exec_error.write_end.get();
  plan.new_network_namespace = options.new_network_namespace;
  plan.parent = ::getpid();
  std::optional<Result<MemoryCgroup>> cgroup;
  if (const auto limit = options.memory_limit_bytes) {
    plan.address_space = rlimit{*limit, *limit};
    cgroup.emplace(MemoryCgroup::Create(options.cgroup_host, *limit));
    if (*cgroup) plan.cgroup_fd = (*cgroup)->join_fd();
  }

  if (body) std::fflush(nullptr);  // else the child would write what is buffered once more
  const pid_t pid = ForkWithSignalsBlocked();
  if (pid < 0) return SystemFailure(fmt::format("fork for {}", options.argv[0]), errno);
  if (pid == 0 && body) RunChildBody(plan, body);
  if (pid == 0) ExecChild(plan);
  ::setpgid(pid, pid);  // both sides: whoever comes first; fails harmlessly after exec
  exec_error.write_end.Reset();
  Child child(pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
              std::move(streams.out.read_end), std::move(streams.err.read_end));
  const ExecErrors errors = ReadExecErrors(exec_error.read_end.get());
  if (cgroup) child.NoteLimiter(*std::move(cgroup), errors.cgroup);
  if (errors.start != 0) {
    return SystemFailure(fmt::format("start {}", options.argv[0]), errors.start,
                         ExecHint(options, errors.start));
  }
  return child;
}

Result<std::optional<ChildExit>> Child::Wait(std::chrono::milliseconds timeout) {
  if (pid_ < 0) return Internal("Child::Wait after the child was reaped");
  pollfd poll_fd{pidfd_.get(), POLLIN, 0};
  const int64_t deadline_ns = MonotonicNs() + timeout.count() * 1'000'000;
  while (::poll(&poll_fd, 1, static_cast<int>(timeout.count())) < 0) {
    if (errno != EINTR) return SystemFailure("poll of a pidfd", errno);
    timeout =
        std::chrono::milliseconds(std::max<int64_t>(0, (deadline_ns - MonotonicNs()) / 1'000'000));
  }
  return Reap(WNOHANG);
}

void Child::NoteLimiter(Result<MemoryCgroup> cgroup, int enter_error) {
  limiter_ = cgroup && enter_error == 0 ? MemoryLimiter::kCgroup : MemoryLimiter::kAddressSpace;
  if (!cgroup) no_cgroup_because_ = cgroup.error().message;
  if (enter_error != 0) {
    no_cgroup_because_ = fmt::format("the cgroup was not entered: {}", std::strerror(enter_error));
  }
  if (limiter_ == MemoryLimiter::kCgroup) cgroup_.emplace(*std::move(cgroup));
}

void Child::FinishLimit(ChildUsage& usage) {
  usage.limiter = limiter_;
  usage.no_cgroup_because = no_cgroup_because_;
  if (!cgroup_) return;
  usage.exceeded_memory_limit = cgroup_->IsExceeded();
  usage.peak_memory_bytes = cgroup_->PeakBytes().value_or(usage.peak_memory_bytes);
  cgroup_.reset();
}

void Child::KillRest() const {
  siginfo_t info{};
  if (pid_ > 0 &&
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      info.si_pid == pid_) {
    ::kill(-pid_, SIGKILL);  // the number is taken until the child is reaped
  }
}

// Nothing when it has not ended, which only WNOHANG lets happen.
Result<std::optional<ChildExit>> Child::Reap(int options) {
  KillRest();
  int status = 0;
  rusage used{};
  pid_t reaped = 0;
  while ((reaped = ::wait4(pid_, &status, options, &used)) < 0 && errno == EINTR) {
  }
  if (reaped < 0) return SystemFailure("wait4", errno);
  if (reaped == 0) return std::optional<ChildExit>();
  pid_ = -1;
  ChildExit exit = ExitOf(status, used, MonotonicNs() - start_ns_);
  FinishLimit(exit.usage);
  return std::optional<ChildExit>(std::move(exit));
}

ChildUsage Child::Kill() {
  if (pid_ < 0) return {};
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // in case it has not reached setpgid()
  const Result<std::optional<ChildExit>> exit = Reap(0);
  pid_ = -1;
  return exit && *exit ? (*exit)->usage : ChildUsage();
}

}  // namespace plectl
