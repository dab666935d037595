// SPDX-License-Identifier: Apache-2.0
// Ring-0 guests in fresh VMs: every payload x arm x number of vCPUs, under the module parameters as
// they are. docs/benchmarks.md says what the figures mean.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/allowed_cpus.h"
#include "bench/guest_host.h"
#include "bench/program.h"
#include "host_tools/experiment/plan.h"
#include "host_tools/guests/payload_source.h"
#include "host_tools/guests/workload_check.h"

namespace plectl::bench {
namespace {

using experiment::Arm;
using experiment::TrialRecord;

struct Options {
  std::vector<uint64_t> vcpus = {1, 2, 4};
  std::vector<uint64_t> cpus = {static_cast<uint64_t>(AllowedCpus().front())};
  // A hold that is long, and few of them: a fair lock under overcommit loses a time slice with each
  // handover, and yet each vCPU shall need more than one slice.
  uint64_t hold_tsc_cycles = 50'000;
  uint64_t iterations = 200;
  uint64_t pauses = 1'000'000;
  uint64_t deadline_ms = 60'000;

  [[nodiscard]] Flags AsFlags() {
    Flags flags;
    flags.Add("guest_vcpus", "How many vCPUs, one benchmark each", vcpus, 1, 64);
    flags.Add("guest_cpus", "The host CPUs that all vCPUs share", cpus, 0, 1023);
    flags.Add("guest_hold_tsc_cycles", "How long a lock is held", hold_tsc_cycles, 0, UINT32_MAX);
    flags.Add("guest_iterations", "Acquisitions, rounds, ... per vCPU", iterations, 1, UINT32_MAX);
    flags.Add("guest_pauses", "Relax instructions per vCPU, of payloads that only relax", pauses, 1,
              UINT32_MAX);
    flags.Add("guest_deadline_ms", "When a guest is ended", deadline_ms, 1, 3'600'000);
    return flags;
  }
};

// Of one counter over the guests of a benchmark; one missing reading makes it missing.
class CountSum {
 public:
  void Add(const Count& count) {
    if (!count.has_value()) is_missing_ = true;
    if (!is_missing_) sum_ += static_cast<double>(count.value());
  }
  void Write(const std::string& name, benchmark::UserCounters& counters) const {
    using benchmark::Counter;
    if (is_missing_) return;
    counters[name] = Counter(sum_, Counter::kAvgIterations);
    counters[name + "_per_s"] = Counter(sum_, Counter::kIsRate);
  }

 private:
  double sum_ = 0;
  bool is_missing_ = false;
};

// The mean over those guests that have it.
class Mean {
 public:
  void Add(double value) {
    sum_ += value;
    ++count_;
  }
  void Write(const char* name, benchmark::UserCounters& counters) const {
    if (count_ > 0) counters[name] = sum_ / count_;
  }

 private:
  double sum_ = 0;
  int count_ = 0;
};

// The counters of one benchmark.
class Counters {
 public:
  void Add(const TrialRecord& trial, double elapsed_s) {
    work_ += trial.throughput_per_s * elapsed_s;
    pause_exits_.Add(trial.pause_exits);
    exits_total_.Add(trial.exits_total);
    window_updates_.Add(trial.window_updates);
    if (trial.fairness_jain) fairness_.Add(*trial.fairness_jain);
    if (trial.waits) wait_p99_.Add(static_cast<double>(trial.waits->p99));
  }

  void Write(benchmark::State& state) const {
    using benchmark::Counter;
    state.counters["throughput_per_s"] = Counter(work_, Counter::kIsRate);
    pause_exits_.Write("pause_exits", state.counters);
    exits_total_.Write("exits_total", state.counters);
    window_updates_.Write("window_updates", state.counters);
    fairness_.Write("fairness_jain", state.counters);
    wait_p99_.Write("wait_p99_tsc_cycles", state.counters);
  }

 private:
  double work_ = 0;
  CountSum pause_exits_;
  CountSum exits_total_;
  CountSum window_updates_;
  Mean fairness_;
  Mean wait_p99_;
};

// Each iteration is a guest in a VM of its own; its time is what passed in the guest.
void Measure(benchmark::State& state, GuestHost& host, const guests::GuestRequest& request,
             Tally& tally) {
  Counters counters;
  for ([[maybe_unused]] auto iteration : state) {
    const Result<TrialRecord> trial = host.Run(request);
    if (!trial) return tally.Skip(state, trial.error());
    const double elapsed_s = static_cast<double>(trial->elapsed_tsc_cycles) /
                             (static_cast<double>(trial->tsc_khz) * 1e3);
    state.SetIterationTime(elapsed_s);
    counters.Add(*trial, elapsed_s);
  }
  counters.Write(state);
  tally.CountMeasured();
}

guests::GuestRequest RequestOf(const Options& options, const guests::PayloadInfo& payload,
                               uint64_t vcpus, Arm arm) {
  guests::GuestRequest request;
  guests::Workload& workload = request.workload;
  workload.payload = payload.name;
  workload.vcpus = static_cast<uint32_t>(vcpus);
  for (const uint64_t cpu : options.cpus) workload.cpus.push_back(static_cast<int>(cpu));
  workload.hold_tsc_cycles = payload.holds ? options.hold_tsc_cycles : 0;
  workload.iterations = payload.is_spinner ? options.pauses : options.iterations;
  request.relax =
      arm == Arm::kNop ? guests::RelaxInstruction::kNop : guests::RelaxInstruction::kPause;
  request.pause_exits_disabled = arm == Arm::kPauseExitsDisabled;
  request.deadline = std::chrono::milliseconds(options.deadline_ms);
  return request;
}

// A benchmark for each that the payload can do.
Status AddPayload(const Options& options, const guests::PayloadImage& image,
                  const guests::PayloadInfo& payload,
                  const std::shared_ptr<Result<GuestHost>>& host, Tally& tally) {
  for (const Arm arm : experiment::kArms) {
    for (const uint64_t vcpus : options.vcpus) {
      if (vcpus < payload.min_vcpus) continue;
      const guests::GuestRequest request = RequestOf(options, payload, vcpus, arm);
      PLECTL_RETURN_IF_ERROR(guests::CheckWorkload(image, request.workload));
      const std::string name = fmt::format("guest_spinlock/{}/{}/vcpus:{}", payload.name,
                                           experiment::ArmName(arm), vcpus);
      const auto measure = [host, request, &tally](benchmark::State& state) {
        if (!*host) return tally.Skip(state, host->error());
        Measure(state, **host, request, tally);
      };
      Register(name, measure)->UseManualTime()->Unit(benchmark::kMillisecond);
    }
  }
  return OkStatus();
}

void AddContext(const Options& options, const Result<GuestHost>& host) {
  benchmark::AddCustomContext(
      "guest", fmt::format("cpus {}, hold {} TSC cycles, {} rounds or {} relax instructions per "
                           "vCPU",
                           fmt::join(options.cpus, ","), options.hold_tsc_cycles,
                           options.iterations, options.pauses));
  benchmark::AddCustomContext("time", "of the guest's TSC; an iteration is one guest");
  if (!host) return;
  for (const auto& [key, value] : host->Context()) benchmark::AddCustomContext(key, value);
}

Status AddBenchmarks(const Options& options, Tally& tally) {
  PLECTL_ASSIGN_OR_RETURN(const guests::PayloadImage image, guests::EmbeddedPayloads());
  const auto host = std::make_shared<Result<GuestHost>>(GuestHost::Open(image));
  AddContext(options, *host);
  for (const guests::PayloadInfo& payload : image.payloads()) {
    PLECTL_RETURN_IF_ERROR(AddPayload(options, image, payload, host, tally));
  }
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
