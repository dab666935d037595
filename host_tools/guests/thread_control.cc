// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/thread_control.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "host_tools/base/clock.h"

namespace plectl::guests {
namespace {

constexpr int kVcpuPriority = 1;
constexpr int kCoordinatorPriority = 2;

Status SetFifo(int priority) {
  sched_param parameters{};
  parameters.sched_priority = priority;
  if (::sched_setscheduler(0, SCHED_FIFO, &parameters) == 0) return OkStatus();
  return SystemFailure(fmt::format("sched_setscheduler(SCHED_FIFO, {})", priority), errno,
                       "run as root, or allow real-time priorities (ulimit -r)");
}

// A signal handler has no other way to its data. Written before the handler is there.
struct sigaction g_before;

// Kicks come from our own threads (tgkill(2)); whoever else sends the signal means what it meant
// before: a request to stop.
void HandleKick(int number, siginfo_t* info, void* context) {
  if (info->si_code == SI_TKILL && info->si_pid == ::getpid()) return;
  if ((g_before.sa_flags & SA_SIGINFO) != 0) g_before.sa_sigaction(number, info, context);
}

int64_t Nanoseconds(const timeval& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1'000;
}

}  // namespace

// No SA_RESTART: KVM_RUN shall return.
KickSignalHandler::KickSignalHandler() {
  ::sigaction(kKickSignal, nullptr, &old_);
  g_before = old_;
  struct sigaction action {};
  action.sa_sigaction = HandleKick;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(kKickSignal, &action, nullptr);
}

KickSignalHandler::~KickSignalHandler() { ::sigaction(kKickSignal, &old_, nullptr); }

BlockedSignals::BlockedSignals() {
  sigset_t all_but_kick;
  ::sigfillset(&all_but_kick);
  ::sigdelset(&all_but_kick, kKickSignal);
  ::pthread_sigmask(SIG_SETMASK, &all_but_kick, &old_);
}

BlockedSignals::~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &old_, nullptr); }

Result<CoordinatorPriority> CoordinatorPriority::Raise(VcpuScheduling scheduling) {
  if (scheduling != VcpuScheduling::kFifo) return CoordinatorPriority(false);
  PLECTL_RETURN_IF_ERROR(SetFifo(kCoordinatorPriority));
  return CoordinatorPriority(true);
}

CoordinatorPriority::CoordinatorPriority(CoordinatorPriority&& other) noexcept
    : raised_(std::exchange(other.raised_, false)) {}

CoordinatorPriority::~CoordinatorPriority() {
  const sched_param parameters{};
  if (raised_) ::sched_setscheduler(0, SCHED_OTHER, &parameters);
}

Status PlaceThread(int cpu, VcpuScheduling scheduling) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    return SystemFailure(fmt::format("pinning a vCPU thread to host CPU {}", cpu), errno,
                         "use CPUs that are online and in this process' cpuset (taskset -p $$)");
  }
  if (scheduling == VcpuScheduling::kFifo) return SetFifo(kVcpuPriority);
  return OkStatus();
}

ThreadUsage UsageOfThisThread() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  timespec cpu{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
  return {static_cast<uint64_t>(usage.ru_nivcsw),
          static_cast<uint64_t>(usage.ru_nvcsw),
          Nanoseconds(usage.ru_utime),
          Nanoseconds(usage.ru_stime),
          int64_t{cpu.tv_sec} * 1'000'000'000 + cpu.tv_nsec,
          MonotonicNs()};
}

ThreadUsage operator-(const ThreadUsage& end, const ThreadUsage& begin) {
  return {end.involuntary_switches - begin.involuntary_switches,
          end.voluntary_switches - begin.voluntary_switches,
          end.user_ns - begin.user_ns,
          end.system_ns - begin.system_ns,
          end.cpu_ns - begin.cpu_ns,
          end.wall_ns - begin.wall_ns};
}

}  // namespace plectl::guests
