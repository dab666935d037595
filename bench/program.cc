// SPDX-License-Identifier: Apache-2.0
#include "bench/program.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "host_tools/base/version.h"

namespace plectl::bench {
namespace {

int Report(std::string_view program, const Error& error) {
  fmt::print(stderr, "{}: {}\n", program, error.message);
  if (!error.hint.empty()) fmt::print(stderr, "  next step: {}\n", error.hint);
  return static_cast<int>(error.kind);
}

int PrintHelp(std::string_view program, const Flags& flags) {
  const std::string own = flags.Help();
  if (!own.empty()) fmt::print("Flags of {}:\n{}\n", program, own);
  std::fflush(stdout);
  benchmark::PrintDefaultHelp();
  return 0;
}

int Run(std::string_view program, const Flags& flags,
        const std::vector<std::string_view>& arguments, const std::function<Status(Tally&)>& add) {
  if (const Status parsed = flags.Parse(arguments); !parsed) return Report(program, parsed.error());
  Tally tally;
  benchmark::AddCustomContext("plectl_version", std::string(kVersion));
  if (const Status added = add(tally); !added) return Report(program, added.error());
  try {
    const size_t matched = benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return tally.ExitCode(matched);
  } catch (const Abort& abort) {
    return Report(program, abort.error);
  }
}

}  // namespace

void Tally::Skip(benchmark::State& state, const Error& error) {
  if (!worst_ || *worst_ == ErrorKind::kEnvironment) worst_ = error.kind;
  state.SkipWithError(error.Text().c_str());
}

int Tally::ExitCode(size_t matched) const {
  if (matched == 0) return static_cast<int>(ErrorKind::kBadInput);
  if (!worst_) return 0;  // also when they were only listed
  if (*worst_ == ErrorKind::kEnvironment && measured_ > 0) return 0;
  return static_cast<int>(*worst_);
}

#ifndef __clang_analyzer__  // which reports a leak inside of the library: that owns the benchmark
benchmark::internal::Benchmark* Register(const std::string& name,
                                         std::function<void(benchmark::State&)> measure) {
  return benchmark::RegisterBenchmark(name.c_str(), std::move(measure));
}
#endif

int RunProgram(int argc, char** argv, const Flags& flags,
               const std::function<Status(Tally&)>& add) {
  const std::string_view path = argv[0];
  const std::string_view program = path.substr(path.rfind('/') + 1);
  const auto is_help = [](const char* argument) { return std::string_view(argument) == "--help"; };
  if (std::any_of(argv + 1, argv + argc, is_help)) return PrintHelp(program, flags);
  benchmark::Initialize(&argc, argv);
  return Run(program, flags, {argv + 1, argv + argc}, add);
}

}  // namespace plectl::bench
