// SPDX-License-Identifier: Apache-2.0
// What relax instructions cost here: PAUSE, NOP and TPAUSE, 1 to 64 in a row.

#include <benchmark/benchmark.h>
#include <cpuid.h>
#include <fmt/format.h>
#include <x86intrin.h>

#include <array>
#include <string>
#include <utility>

#include "bench/program.h"

namespace plectl::bench {
namespace {

struct Pause {
  static constexpr const char* kName = "pause";
  template <int kCount>
  static void Repeat() {
    asm volatile(".rept %c0\n\tpause\n\t.endr" ::"i"(kCount) : "memory");
  }
};

struct Nop {
  static constexpr const char* kName = "nop";
  template <int kCount>
  static void Repeat() {
    asm volatile(".rept %c0\n\tnop\n\t.endr" ::"i"(kCount) : "memory");
  }
};

// Until a deadline that has passed: what the instruction itself costs. EDX:EAX is the deadline, bit
// 0 of the operand asks for C0.1, the lighter sleep.
struct Tpause {
  static constexpr const char* kName = "tpause";
  template <int kCount>
  static void Repeat() {
    for (int i = 0; i < kCount; ++i) {
      asm volatile(".byte 0x66, 0x0f, 0xae, 0xf1" ::"c"(1), "a"(0), "d"(0) : "memory", "cc");
    }
  }
};

// CPUID.(EAX=7,ECX=0):ECX[5], WAITPKG (SDM volume 2, TPAUSE).
bool HasTpause() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ecx >> 5 & 1) != 0;
}

// The loop around it is part of the time: it shows in a row of 1, not in one of 64.
template <class Instruction, int kCount>
void Measure(benchmark::State& state, Tally& tally) {
  const uint64_t start = __rdtsc();
  for ([[maybe_unused]] auto iteration : state) Instruction::template Repeat<kCount>();
  const auto cycles = static_cast<double>(__rdtsc() - start);
  state.counters["tsc_cycles_each"] =
      benchmark::Counter(cycles / kCount, benchmark::Counter::kAvgIterations);
  state.SetItemsProcessed(state.iterations() * kCount);
  tally.CountMeasured();
}

template <class Instruction, int... kCounts>
void Add(Tally& tally, std::integer_sequence<int, kCounts...> /*counts*/) {
  const auto add = [&tally](int count, void (*measure)(benchmark::State&, Tally&)) {
    const std::string name = fmt::format("relax_cost/{}/n:{}", Instruction::kName, count);
    Register(name, [measure, &tally](benchmark::State& state) { measure(state, tally); });
  };
  (add(kCounts, Measure<Instruction, kCounts>), ...);
}

void AddTpause(Tally& tally) {
  using Counts = std::integer_sequence<int, 1, 8, 64>;
  if (HasTpause()) return Add<Tpause>(tally, Counts());
  Register("relax_cost/tpause", [&tally](benchmark::State& state) {
    tally.Skip(state,
               Environment("this CPU has no TPAUSE (CPUID.7.ECX[5], WAITPKG, is 0)").value());
  });
}

Status AddBenchmarks(Tally& tally) {
  using Counts = std::integer_sequence<int, 1, 2, 4, 8, 16, 32, 64>;
  Add<Pause>(tally, Counts());
  Add<Nop>(tally, Counts());
  AddTpause(tally);
  return OkStatus();
}

}  // namespace
}  // namespace plectl::bench

int main(int argc, char** argv) {
  return plectl::bench::RunProgram(argc, argv, {}, plectl::bench::AddBenchmarks);
}
