// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <optional>
#include <string>

#include "bench/flags.h"
#include "host_tools/base/result.h"

namespace plectl::bench {

// What became of a program's benchmarks, for its exit code.
class Tally {
 public:
  void CountMeasured() { ++measured_; }
  // Ends the benchmark of `state`, which must leave its loop, with the reason in its place.
  void Skip(benchmark::State& state, const Error& error);
  // As plectl's (docs/architecture.md): 0 only when something was measured, and nothing failed that
  // this machine has what it takes for. `matched`: how many benchmarks were to run.
  [[nodiscard]] int ExitCode(size_t matched) const;

 private:
  size_t measured_ = 0;
  std::optional<ErrorKind> worst_;
};

// Registers `measure`, which is called after RunProgram()'s `add` has returned; the library owns
// the benchmark.
benchmark::internal::Benchmark* Register(const std::string& name,
                                         std::function<void(benchmark::State&)> measure);

// Thrown by a benchmark to end the whole program with an error. For those with ->Complexity(),
// which must not skip: Google Benchmark 1.7 crashes when all of such a family are skipped.
struct Abort {
  Error error;
};

// A whole program: takes Google Benchmark's flags and `flags`, calls `add` (to register benchmarks
// that count in the tally) and runs what was asked for. The exit code.
int RunProgram(int argc, char** argv, const Flags& flags, const std::function<Status(Tally&)>& add);

}  // namespace plectl::bench
