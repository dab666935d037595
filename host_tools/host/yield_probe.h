// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace plectl::host {

// What a probe of the running kernel found out.
struct ProbedAnswer {
  std::string_view answer = "unknown";  // "yes", "no" or "unknown"
  std::string because;                  // what was measured, or why it cannot be told
};

// The CPU time that two threads got which wanted one CPU at the same time.
struct YieldShares {
  std::chrono::nanoseconds yielder{};  // called sched_yield() all the time
  std::chrono::nanoseconds spinner{};  // never did
};

// Whether a task that yields gives up its claim to the CPU (79104becf42b "sched/fair: Forfeit
// vruntime on yield"): with it the yielder gets next to nothing, without it both get their half,
// since what it did not use is still owed to it.
ProbedAnswer JudgeYieldShares(const YieldShares& shares);

// Measures it: two threads with the normal policy on one CPU of this process, for 60 ms, on a
// busy CPU up to 1.2 s, of which they take some 60 ms of CPU time. Needs no privilege. "unknown"
// where the threads cannot be made, or did not get enough CPU time.
ProbedAnswer ProbeForfeitOnYield();

}  // namespace plectl::host
