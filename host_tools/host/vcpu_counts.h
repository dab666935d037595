// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/count.h"

namespace plectl::host {

// One change of a vCPU's PLE window (AMD: of its pause filter count).
struct WindowChange {
  int64_t time_ns = 0;  // CLOCK_MONOTONIC; in records: since the start barrier
  uint32_t old_window = 0;
  uint32_t new_window = 0;

  friend bool operator==(const WindowChange&, const WindowChange&) = default;
};

// How a vCPU's window went. Bounded: of very many changes the ones in the middle are left out.
struct WindowTrack {
  uint64_t changes = 0;  // all of them
  uint32_t max = 0;      // the largest value that any of them gave or took
  std::vector<WindowChange> first;
  std::vector<WindowChange> last;  // those after `first`; empty when `first` holds all
  [[nodiscard]] uint64_t left_out() const { return changes - first.size() - last.size(); }

  friend bool operator==(const WindowTrack&, const WindowTrack&) = default;
};

// How long the host handled the exits of one reason: each from kvm_exit to the next kvm_entry of
// its vCPU, by CLOCK_MONOTONIC.
struct ExitTimes {
  uint64_t count = 0;       // of those with an entry
  uint64_t unfinished = 0;  // exits that no entry followed: the last one
  uint64_t total_ns = 0;
  uint64_t min_ns = 0;
  uint64_t max_ns = 0;
  // [i] counts times of 2^i up to 2^(i+1) ns; [0] those of 0 ns too. Without zeros at its end.
  std::vector<uint64_t> log2_ns;

  void Add(const ExitTimes& more);
  friend bool operator==(const ExitTimes&, const ExitTimes&) = default;
};

// Where PAUSE exits happened: guest address -> exits; the rest when there are too many of them.
struct PauseRips {
  std::map<uint64_t, uint64_t> exits;
  uint64_t other = 0;

  friend bool operator==(const PauseRips&, const PauseRips&) = default;
};

// What became of a vCPU's calls of kvm_vcpu_on_spin(). KVM's statistics directed_yield_* are of
// something else, the guest's hypercalls.
struct DirectedYields {
  uint64_t on_spin_calls = 0;
  uint64_t without_candidate = 0;        // of them: nobody was tried
  uint64_t attempts = 0;                 // calls of kvm_vcpu_yield_to()
  uint64_t succeeded = 0;                // that gave the CPU away
  uint64_t refused = 0;                  // returned 0: the target runs, or yield_to() would not
  uint64_t not_needed = 0;               // returned -ESRCH: no other task waits on either CPU
  uint64_t failed = 0;                   // anything else
  std::map<uint32_t, uint64_t> boosted;  // target's vCPU id -> successes

  friend bool operator==(const DirectedYields&, const DirectedYields&) = default;
};

// What an observer knows of one vCPU. What was not asked for is not there.
struct VcpuCounts {
  uint64_t pause_exits = 0;
  std::optional<std::map<std::string, uint64_t>> by_reason;
  std::optional<WindowTrack> window;
  std::optional<std::map<std::string, ExitTimes>> exit_times;  // by reason
  std::optional<PauseRips> pause_rips;
  std::optional<DirectedYields> directed_yields;
  std::optional<std::map<std::string, Count>> hardware;  // performance counters of its thread

  friend bool operator==(const VcpuCounts&, const VcpuCounts&) = default;
};

}  // namespace plectl::host
