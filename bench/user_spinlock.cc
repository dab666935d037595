// SPDX-License-Identifier: Apache-2.0
// Threads in ring 3: lock x relax instruction x workers x CPUs. What PLE never sees on Intel,
// beside guest_spinlock.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <x86intrin.h>

#include <algorithm>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "bench/allowed_cpus.h"
#include "bench/program.h"
#include "bench/user_locks.h"
#include "host_tools/base/clock.h"
#include "host_tools/guests/thread_control.h"

namespace plectl::bench {
namespace {

struct Options {
  std::vector<uint64_t> workers = {2};
  std::vector<uint64_t> cpus = {1, 2};
  // As in guest_spinlock.cc.
  uint64_t hold_tsc_cycles = 50'000;
  uint64_t iterations = 400;

  [[nodiscard]] Flags AsFlags() {
    Flags flags;
    flags.Add("user_workers", "How many threads, one benchmark each", workers, 1, 1024);
    flags.Add("user_cpus", "On how many CPUs, one benchmark each; not more than threads", cpus, 1,
              1024);
    flags.Add("user_hold_tsc_cycles", "How long a lock is held", hold_tsc_cycles, 0, UINT32_MAX);
    flags.Add("user_iterations", "Acquisitions per thread and iteration", iterations, 1,
              UINT32_MAX);
    return flags;
  }
};

struct Work {
  std::vector<int> cpus;  // worker i runs on cpus[i]
  uint64_t hold_tsc_cycles = 0;
  uint64_t iterations = 0;
};

struct Worker {
  Status placed;
  uint64_t spins = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

void Hold(uint64_t tsc_cycles) {
  const uint64_t start = __rdtsc();
  while (__rdtsc() - start < tsc_cycles) {
  }
}

template <class Lock, class Relax>
void WorkOn(Lock& lock, uint64_t& protected_count, const Work& work, Worker& worker) {
  worker.start_ns = MonotonicNs();
  for (uint64_t i = 0; i < work.iterations; ++i) {
    worker.spins += lock.template Acquire<Relax>();
    Hold(work.hold_tsc_cycles);
    benchmark::DoNotOptimize(++protected_count);
    lock.Release();
  }
  worker.end_ns = MonotonicNs();
}

// All workers once, from a common start. Inconclusive when the lock did not exclude.
template <class Lock, class Relax>
Result<std::vector<Worker>> RunWorkers(const Work& work) {
  Lock lock;
  uint64_t protected_count = 0;
  std::vector<Worker> workers(work.cpus.size());
  {
    std::latch start(static_cast<std::ptrdiff_t>(workers.size()));
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < workers.size(); ++i) {
      threads.emplace_back([&, i] {
        workers[i].placed = guests::PlaceThread(work.cpus[i], guests::VcpuScheduling::kOther);
        start.arrive_and_wait();
        if (workers[i].placed) WorkOn<Lock, Relax>(lock, protected_count, work, workers[i]);
      });
    }
  }
  for (const Worker& worker : workers) PLECTL_RETURN_IF_ERROR(worker.placed);
  if (protected_count == work.iterations * workers.size()) return workers;
  return Inconclusive(fmt::format("the lock did not exclude: {} acquisitions counted, {} made",
                                  protected_count, work.iterations * workers.size()));
}

double ElapsedS(const std::vector<Worker>& workers) {
  const int64_t start = std::ranges::min(workers, {}, &Worker::start_ns).start_ns;
  const int64_t end = std::ranges::max(workers, {}, &Worker::end_ns).end_ns;
  return static_cast<double>(end - start) / 1e9;
}

// Jain's index of the workers' rates.
double Fairness(const std::vector<Worker>& workers) {
  double sum = 0;
  double squares = 0;
  for (const Worker& worker : workers) {
    const double rate =
        1.0 / static_cast<double>(std::max<int64_t>(worker.end_ns - worker.start_ns, 1));
    sum += rate;
    squares += rate * rate;
  }
  return sum * sum / (squares * static_cast<double>(workers.size()));
}

template <class Lock, class Relax>
void Measure(benchmark::State& state, const Work& work, Tally& tally) {
  using benchmark::Counter;
  double spins = 0;
  double fairness = 0;
  for ([[maybe_unused]] auto iteration : state) {
    const Result<std::vector<Worker>> workers = RunWorkers<Lock, Relax>(work);
    if (!workers) return tally.Skip(state, workers.error());
    state.SetIterationTime(ElapsedS(*workers));
    for (const Worker& worker : *workers) spins += static_cast<double>(worker.spins);
    fairness += Fairness(*workers);
  }
  const double acquired = static_cast<double>(work.iterations * work.cpus.size());
  state.counters["throughput_per_s"] = Counter(acquired, Counter::kIsIterationInvariantRate);
  state.counters["spins_per_acquisition"] = Counter(spins / acquired, Counter::kAvgIterations);
  state.counters["fairness_jain"] = Counter(fairness, Counter::kAvgIterations);
  tally.CountMeasured();
}

// The registered benchmark: skipped where there are not enough CPUs.
template <class Lock, class Relax>
void Add(const Options& options, uint64_t workers, uint64_t cpus, Tally& tally) {
  const std::string name = fmt::format("user_spinlock/{}/{}/workers:{}/cpus:{}", Lock::kName,
                                       Relax::kName, workers, cpus);
  const auto measure = [options, workers, cpus, &tally](benchmark::State& state) {
    const std::vector<int> allowed = AllowedCpus();
    if (cpus > allowed.size()) {
      const std::string message = fmt::format("only {} CPUs are allowed", allowed.size());
      return tally.Skip(state, Environment(message, "leave this out by --user_cpus").value());
    }
    Work work{{}, options.hold_tsc_cycles, options.iterations};
    for (uint64_t i = 0; i < workers; ++i) work.cpus.push_back(allowed[i % cpus]);
    Measure<Lock, Relax>(state, work, tally);
  };
  Register(name, measure)->UseManualTime()->Unit(benchmark::kMillisecond);
}

template <class Lock>
void AddLock(const Options& options, Tally& tally) {
  for (const uint64_t workers : options.workers) {
    for (const uint64_t cpus : options.cpus) {
      if (cpus > workers) continue;
      Add<Lock, RelaxByPause>(options, workers, cpus, tally);
      Add<Lock, RelaxByNop>(options, workers, cpus, tally);
      Add<Lock, RelaxByBackoff>(options, workers, cpus, tally);
    }
  }
}

Status AddBenchmarks(const Options& options, Tally& tally) {
  benchmark::AddCustomContext(
      "ring_3",
      "Intel's PLE ignores PAUSE at CPL 3; AMD's pause filter counts it there too: inside of a VM "
      "these loops make PAUSE exits on AMD only");
  benchmark::AddCustomContext("user", fmt::format("hold {} TSC cycles, {} acquisitions per thread",
                                                  options.hold_tsc_cycles, options.iterations));
  AddLock<TasLock>(options, tally);
  AddLock<TtasLock>(options, tally);
  AddLock<TicketLock>(options, tally);
  return OkStatus();
}

}  // namespace

int Main(int argc, char** argv) {
  Options options;
  const Flags flags = options.AsFlags();
  return RunProgram(argc, argv, flags,
                    [&options](Tally& tally) { return AddBenchmarks(options, tally); });
}

}  // namespace plectl::bench

int main(int argc, char** argv) { return plectl::bench::Main(argc, argv); }
