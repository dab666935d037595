// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace plectl {

// CLOCK_MONOTONIC in nanoseconds.
int64_t MonotonicNs();

// Measures one interval of CLOCK_MONOTONIC from its construction or last Restart().
class Stopwatch {
 public:
  Stopwatch() : start_ns_(MonotonicNs()) {}
  [[nodiscard]] int64_t ElapsedNs() const { return MonotonicNs() - start_ns_; }
  // The interval so far; the next one starts now.
  int64_t Restart();

 private:
  int64_t start_ns_;
};

}  // namespace plectl
