// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace plectl::bench {

// How a spinner waits for its next look at the lock. One object per acquisition.
struct RelaxByPause {
  static constexpr const char* kName = "pause";
  void operator()() { asm volatile("pause" ::: "memory"); }
};

// The two bytes that the guests' nop arm has in the place of PAUSE.
struct RelaxByNop {
  static constexpr const char* kName = "nop";
  void operator()() { asm volatile("nop\n\tnop" ::: "memory"); }
};

// PAUSE once, twice, four times ... as long as the lock stays taken.
struct RelaxByBackoff {
  static constexpr const char* kName = "backoff";
  void operator()() {
    for (uint32_t i = 0; i < pauses_; ++i) asm volatile("pause" ::: "memory");
    pauses_ = std::min(2 * pauses_, kPausesMax);
  }

 private:
  static constexpr uint32_t kPausesMax = 1024;
  uint32_t pauses_ = 1;
};

// Locks that spin in ring 3. Acquire() returns how often it relaxed.
class TasLock {
 public:
  static constexpr const char* kName = "tas";
  template <class Relax>
  uint64_t Acquire() {
    Relax relax;
    uint64_t spins = 0;
    for (; taken_.exchange(true, std::memory_order_acquire); ++spins) relax();
    return spins;
  }
  void Release() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

// Looks before it tries: waiters share the cache line.
class TtasLock {
 public:
  static constexpr const char* kName = "ttas";
  template <class Relax>
  uint64_t Acquire() {
    Relax relax;
    uint64_t spins = 0;
    while (taken_.exchange(true, std::memory_order_acquire)) {
      for (; taken_.load(std::memory_order_relaxed); ++spins) relax();
    }
    return spins;
  }
  void Release() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

// First come, first served: needs the next in line on a CPU for every handover.
class TicketLock {
 public:
  static constexpr const char* kName = "ticket";
  template <class Relax>
  uint64_t Acquire() {
    Relax relax;
    uint64_t spins = 0;
    const uint32_t mine = next_.fetch_add(1, std::memory_order_relaxed);
    for (; served_.load(std::memory_order_acquire) != mine; ++spins) relax();
    return spins;
  }
  void Release() { served_.fetch_add(1, std::memory_order_release); }

 private:
  std::atomic<uint32_t> next_{0};
  std::atomic<uint32_t> served_{0};
};

}  // namespace plectl::bench
