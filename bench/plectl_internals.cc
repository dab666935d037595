// SPDX-License-Identifier: Apache-2.0
// plectl's own parts, at sizes that show how they grow.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/program.h"
#include "bench/samples.h"
#include "host_tools/analysis/summary.h"
#include "host_tools/experiment/schedule.h"
#include "host_tools/guests/elf_image.h"
#include "host_tools/guests/embedded_payload.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/output/trial_sample.h"

namespace plectl::bench {
namespace {

// A directory of its own for this program, removed with what is in it.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::filesystem::path& parent)
      : path_(parent / fmt::format("plectl-bench-{}", ::getpid())) {}
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// One record of N vCPUs, written and fsynced.
void AppendToRunLog(benchmark::State& state, experiment::RunLogWriter& writer, Tally& tally) {
  const auto trial = SampleTrial(0, static_cast<uint32_t>(state.range(0)));
  for ([[maybe_unused]] auto iteration : state) {
    if (const Status appended = writer.Append(trial); !appended) throw Abort{appended.error()};
  }
  state.SetComplexityN(state.range(0));
  tally.CountMeasured();
}

// A benchmark of `parse`, a function that gives a Result, on an input of N items.
template <class Input, class Parse>
void MeasureParser(benchmark::State& state, const Input& input, Parse parse, Tally& tally) {
  for ([[maybe_unused]] auto iteration : state) {
    auto parsed = parse(input);
    if (!parsed) throw Abort{parsed.error()};
    benchmark::DoNotOptimize(parsed);
  }
  state.SetComplexityN(state.range(0));
  tally.CountMeasured();
}

void LoadRunLog(benchmark::State& state, Tally& tally) {
  const std::string text = SampleRunLog(static_cast<uint64_t>(state.range(0)));
  const auto parse = [](const std::string& log) { return experiment::ParseRunLog(log, "sample"); };
  MeasureParser(state, text, parse, tally);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void ParsePlan(benchmark::State& state, Tally& tally) {
  const auto payloads = guests::EmbeddedPayloads();
  if (!payloads) throw Abort{payloads.error()};
  const auto parse = [&payloads](const std::string& plan) {
    return experiment::ParsePlan(plan, "sample", *payloads);
  };
  MeasureParser(state, SamplePlanText(static_cast<uint64_t>(state.range(0))), parse, tally);
}

void ParseElf(benchmark::State& state, Tally& tally) {
  const auto parse = [](const std::vector<uint8_t>& elf) {
    return guests::ParseElf(elf, {PLECTL_LOAD_ADDRESS, PLECTL_MEMORY_SIZE});
  };
  MeasureParser(state, SampleElf(static_cast<uint16_t>(state.range(0))), parse, tally);
}

// The whole check of the guest that is part of plectl.
void ParsePayloads(benchmark::State& state, Tally& tally) {
  for ([[maybe_unused]] auto iteration : state) {
    auto payloads = guests::PayloadImage::Parse(guests::EmbeddedPayloadElf());
    if (!payloads) throw Abort{payloads.error()};
    benchmark::DoNotOptimize(payloads);
  }
  tally.CountMeasured();
}

void MakeSchedule(benchmark::State& state, Tally& tally) {
  const experiment::Plan plan = SamplePlan(static_cast<uint64_t>(state.range(0)));
  for ([[maybe_unused]] auto iteration : state) {
    benchmark::DoNotOptimize(experiment::MakeSchedule(plan));
  }
  state.SetComplexityN(state.range(0));
  tally.CountMeasured();
}

void Summarize(benchmark::State& state, Tally& tally) {
  std::vector<analysis::TrialSample> samples;
  for (int64_t number = 0; number < state.range(0); ++number) {
    samples.push_back(output::ToSample(SampleTrial(static_cast<uint64_t>(number))));
  }
  for ([[maybe_unused]] auto iteration : state) {
    benchmark::DoNotOptimize(analysis::Summarize(samples));
  }
  state.SetComplexityN(state.range(0));
  tally.CountMeasured();
}

struct Part {
  const char* name;
  void (*measure)(benchmark::State&, Tally&);
  int64_t smallest;
  int64_t largest;
};
constexpr Part kParts[] = {
    {"run_log_load/trials", LoadRunLog, 8, 4096}, {"schedule/param_sets", MakeSchedule, 8, 4096},
    {"summarize/trials", Summarize, 8, 4096},     {"plan_parse/workloads", ParsePlan, 8, 512},
    {"elf_parse/segments", ParseElf, 1, 64},
};

Status AddBenchmarks(experiment::RunLogWriter& writer, Tally& tally) {
  const auto append = [&writer, &tally](benchmark::State& state) {
    AppendToRunLog(state, writer, tally);
  };
  Register("run_log_append/vcpus", append)
      ->RangeMultiplier(4)
      ->Range(1, 64)
      ->UseRealTime()
      ->Complexity();
  for (const Part& part : kParts) {
    Register(part.name, [&part, &tally](benchmark::State& state) { part.measure(state, tally); })
        ->RangeMultiplier(8)
        ->Range(part.smallest, part.largest)
        ->Complexity();
  }
  Register("payload_parse", [&tally](benchmark::State& state) { ParsePayloads(state, tally); });
  return OkStatus();
}

}  // namespace

int Main(int argc, char** argv) {
  std::string directory = std::filesystem::temp_directory_path();
  Flags flags;
  flags.Add("internals_directory", "Where a run log is written: fsync costs what its disk does",
            directory);
  std::optional<ScratchDirectory> scratch;
  std::optional<experiment::RunLogWriter> writer;
  return RunProgram(argc, argv, flags, [&](Tally& tally) -> Status {
    scratch.emplace(directory);
    PLECTL_ASSIGN_OR_RETURN(auto opened, experiment::RunLogWriter::Open(scratch->path()));
    writer.emplace(std::move(opened));
    return AddBenchmarks(*writer, tally);
  });
}

}  // namespace plectl::bench

int main(int argc, char** argv) { return plectl::bench::Main(argc, argv); }
