// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/stop.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace plectl {
namespace {

constexpr int kSignalEnd = 65;  // the kernel's _NSIG, plus one
// The two that glibc keeps for itself and refuses to sigaction(2).
constexpr int kGlibcFirst = 32;
constexpr int kGlibcLast = 33;
// By default these end nothing, cannot be caught, or, the first, only report what write(2) does.
constexpr std::array kNoStop = {SIGPIPE, SIGKILL, SIGSTOP, SIGCHLD, SIGCONT,
                                SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH};
constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

// The only mutable statics of plectl: a signal handler has no other way to its data.
std::atomic<int> g_signal_number = 0;
std::atomic<int> g_event_fd = -1;
std::array<struct sigaction, kSignalEnd> g_old_actions;  // written before the handlers are there
static_assert(std::atomic<int>::is_always_lock_free);

// What the kernel itself takes; glibc's struct sigaction differs.
struct KernelAction {
  void* handler = nullptr;
  unsigned long flags = 0;
  void* restorer = nullptr;
  uint64_t mask = 0;
};

bool Contains(const auto& numbers, int number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

bool IsGlibcs(int number) { return number >= kGlibcFirst && number <= kGlibcLast; }

bool IsStop(int number) { return !Contains(kNoStop, number) && !IsGlibcs(number); }

// A fault of our own is not a request: with the old handler in place the instruction faults again,
// or, where the kernel does not repeat it, the signal comes once more.
bool LeaveFaultAlone(int number, const siginfo_t* info) {
  if (!Contains(kFaults, number) || info->si_code <= 0) return false;
  ::sigaction(number, &g_old_actions[static_cast<size_t>(number)], nullptr);
  if (number == SIGTRAP || number == SIGSYS) ::raise(number);
  return true;
}

// The kernel sends it to whoever writes beyond a limit of the size of files; write(2) fails too.
bool IsOwnWrite(int number, const siginfo_t* info) {
  return number == SIGXFSZ && info->si_pid == ::getpid();
}

void HandleStopSignal(int number, siginfo_t* info, void* /*context*/) {
  const int saved_errno = errno;
  if (!IsOwnWrite(number, info) && !LeaveFaultAlone(number, info)) {
    g_signal_number = number;
    const uint64_t one = 1;
    // Nothing can be done about a failed write here, and a full eventfd is readable anyway.
    [[maybe_unused]] const ssize_t written = ::write(g_event_fd, &one, sizeof one);
  }
  errno = saved_errno;
}

long KernelSigaction(int number, const KernelAction* action, KernelAction* old) {
  return ::syscall(SYS_rt_sigaction, number, action, old, sizeof action->mask);
}

// The handler goes where nothing is yet: once there are threads, glibc has its own.
void CatchGlibcsSignals() {
  KernelAction ours;
  KernelAction old;
  if (KernelSigaction(SIGTERM, nullptr, &ours) != 0) return;
  for (int number = kGlibcFirst; number <= kGlibcLast; ++number) {
    const bool free = KernelSigaction(number, nullptr, &old) == 0 && old.handler == nullptr;
    if (free) KernelSigaction(number, &ours, nullptr);
  }
}

void ReleaseGlibcsSignals() {
  const KernelAction none;
  KernelAction now;
  for (int number = kGlibcFirst; number <= kGlibcLast; ++number) {
    const bool ours = KernelSigaction(number, nullptr, &now) == 0 &&
                      now.handler == reinterpret_cast<void*>(HandleStopSignal);
    if (ours) KernelSigaction(number, &none, nullptr);
  }
}

// At its hard limit of CPU time the kernel kills a process, and `ulimit -t` sets both limits: so
// SIGXCPU gets a head start, in which the host is restored.
void LeaveTimeToRestore() {
  constexpr rlim_t kGraceSeconds = 60;
  constexpr rlim_t kLessSeconds = 2;
  rlimit limit{};
  if (::getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return;
  const rlimit later{std::min(limit.rlim_cur, limit.rlim_max), limit.rlim_max + kGraceSeconds};
  if (::setrlimit(RLIMIT_CPU, &later) == 0 || limit.rlim_max <= kLessSeconds) return;
  const rlimit earlier{std::min(limit.rlim_cur, limit.rlim_max - kLessSeconds), limit.rlim_max};
  ::setrlimit(RLIMIT_CPU, &earlier);
}

}  // namespace

Result<StopSignal> StopSignal::Install() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return SystemFailure("eventfd", errno);
  g_event_fd = event.get();
  ::signal(SIGPIPE, SIG_IGN);
  struct sigaction action {};
  action.sa_sigaction = HandleStopSignal;
  action.sa_flags = SA_SIGINFO;
  for (int number = 1; number < kSignalEnd; ++number) {
    if (!IsStop(number)) continue;
    struct sigaction& old = g_old_actions[static_cast<size_t>(number)];
    ::sigaction(number, nullptr, &old);
    if (number == SIGHUP && old.sa_handler == SIG_IGN) continue;
    ::sigaction(number, &action, nullptr);
  }
  CatchGlibcsSignals();
  LeaveTimeToRestore();
  return StopSignal(std::move(event));
}

StopSignal::~StopSignal() {
  if (!event_.valid()) return;
  for (int number = 1; number < kSignalEnd; ++number) {
    if (IsStop(number)) {
      ::sigaction(number, &g_old_actions[static_cast<size_t>(number)], nullptr);
    }
  }
  ReleaseGlibcsSignals();
  g_event_fd = -1;
}

int StopSignal::signal_number() { return g_signal_number; }

int StopSignal::installed_fd() { return g_event_fd; }

Status CheckNotStopped() {
  if (!StopSignal::requested()) return OkStatus();
  return Inconclusive(fmt::format("stopped by {}", ::strsignal(StopSignal::signal_number())),
                      "run the same command again to go on");
}

void ResetAllSignals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < kSignalEnd; ++number) {
    if (!IsGlibcs(number)) ::sigaction(number, &action, nullptr);
  }
  ReleaseGlibcsSignals();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace plectl
