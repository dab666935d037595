// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/start_phase.h"

#include <algorithm>
#include <ctime>
#include <random>
#include <set>

namespace plectl::guests {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kLongestWait =
    std::chrono::milliseconds(12);                                  // three ticks at 250 per second
constexpr nanoseconds kLongestSpin = std::chrono::milliseconds(4);  // a tick, the longest slice
constexpr nanoseconds kSpinsOfACpu = std::chrono::milliseconds(32);  // of all its vCPUs at most

// The standard fixes the numbers of mt19937_64, but not those of its distributions.
nanoseconds DrawBelow(std::mt19937_64& random, nanoseconds bound) {
  return nanoseconds(static_cast<int64_t>(random() % static_cast<uint64_t>(bound.count())));
}

nanoseconds CpuTime() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

}  // namespace

StartPhase DrawStartPhase(uint64_t seed, const Workload& workload) {
  std::mt19937_64 random(seed);
  StartPhase phase;
  phase.wait = DrawBelow(random, kLongestWait);
  const std::set<int> cpus(workload.cpus.begin(), workload.cpus.end());
  const uint32_t vcpus = VcpusOfAllVms(workload);
  if (vcpus <= cpus.size() || cpus.empty()) return phase;
  const auto sharers = static_cast<int64_t>((vcpus + cpus.size() - 1) / cpus.size());
  const nanoseconds longest = std::min(kLongestSpin, kSpinsOfACpu / sharers);
  for (uint32_t vcpu = 0; vcpu < vcpus; ++vcpu) phase.spins.push_back(DrawBelow(random, longest));
  return phase;
}

void SpinFor(nanoseconds cpu_time) {
  const nanoseconds start = CpuTime();
  while (CpuTime() - start < cpu_time) {
  }
}

}  // namespace plectl::guests
