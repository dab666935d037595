// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/yield_probe.h"

#include <fmt/format.h>
#include <sched.h>

#include <atomic>
#include <ctime>
#include <latch>
#include <system_error>
#include <thread>

namespace plectl::host {
namespace {

using std::chrono::nanoseconds;

// Many time slices: one has 0.7 to 6 ms. On a busy CPU it takes longer to get as many.
constexpr std::chrono::milliseconds kStep(60);
constexpr int kStepsMax = 20;
// Less CPU time than this is too few slices to tell.
constexpr std::chrono::milliseconds kEnough(20);
// Half is expected without the change and nearly nothing with it.
constexpr int64_t kForfeitsBelowPercent = 15;
constexpr int64_t kSharesAbovePercent = 30;

nanoseconds ThreadCpuTime() {
  timespec time = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

// False when this thread may not have the normal policy on this CPU.
bool BecomeNormalOn(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  const sched_param normal = {};
  return ::sched_setaffinity(0, sizeof cpus, &cpus) == 0 &&
         ::sched_setscheduler(0, SCHED_OTHER, &normal) == 0;
}

struct Race {
  std::latch ready{2};
  std::atomic<int64_t> spun_ns = 0;  // CPU time of the spinner so far
  std::atomic<bool> over = false;
  std::atomic<bool> failed = false;
};

// Runs until the race is over; returns its CPU time since both threads were ready.
nanoseconds Run(Race& race, int cpu, bool yields) {
  if (!BecomeNormalOn(cpu)) race.failed = true;
  race.ready.arrive_and_wait();
  const nanoseconds start = ThreadCpuTime();
  while (!race.over.load(std::memory_order_relaxed)) {
    if (yields) {
      ::sched_yield();
    } else {
      race.spun_ns.store((ThreadCpuTime() - start).count(), std::memory_order_relaxed);
    }
  }
  return ThreadCpuTime() - start;
}

ProbedAnswer Measure(int cpu) {
  Race race;
  YieldShares shares;
  {
    const std::jthread yielder([&] { shares.yielder = Run(race, cpu, true); });
    std::jthread spinner;
    try {
      spinner = std::jthread([&] { shares.spinner = Run(race, cpu, false); });
    } catch (const std::system_error&) {
      race.failed = true;
      race.ready.count_down();  // for the thread that is not there
    }
    race.ready.wait();
    for (int step = 0; step < kStepsMax && !race.failed; ++step) {
      std::this_thread::sleep_for(kStep);
      if (nanoseconds(race.spun_ns.load()) >= kEnough) break;
    }
    race.over = true;
  }
  if (race.failed) return {.because = "cannot run two threads with the normal policy on one CPU"};
  return JudgeYieldShares(shares);
}

}  // namespace

ProbedAnswer JudgeYieldShares(const YieldShares& shares) {
  const nanoseconds both = shares.yielder + shares.spinner;
  const auto to_ms = [](nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  if (both < kEnough) {
    return {.because = fmt::format("two threads got only {:.1f} ms of CPU time", to_ms(both))};
  }
  const int64_t percent = shares.yielder * 100 / both;
  std::string measured = fmt::format(
      "measured: a thread that yields got {} % of a CPU that it "
      "shared with one that does not",
      percent);
  if (percent < kForfeitsBelowPercent) return {.answer = "yes", .because = std::move(measured)};
  if (percent > kSharesAbovePercent) return {.answer = "no", .because = std::move(measured)};
  return {.because = measured + ", between what is expected with and without"};
}

ProbedAnswer ProbeForfeitOnYield() {
  const int cpu = ::sched_getcpu();
  if (cpu < 0) return {.because = "the kernel does not say which CPU this is"};
  try {
    return Measure(cpu);
  } catch (const std::system_error& error) {
    return {.because = fmt::format("cannot start a thread: {}", error.what())};
  }
}

}  // namespace plectl::host
