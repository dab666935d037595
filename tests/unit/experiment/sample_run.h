// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_tools/experiment/run_log.h"

namespace plectl::experiment {

// Every quantity set to another value, but for a group that is missing as a whole.
inline host::NoiseRecord SampleNoise() {
  host::NoiseRecord noise;
  noise.window_ns = 1'234'567;
  uint64_t value = 100;
  for (const host::NoiseQuantityInfo& info : host::NoiseQuantities()) {
    noise.counts[info.quantity] =
        info.group == "cgroup" ? Count::Missing("no cgroups") : Count(value++);
  }
  noise.counts[host::NoiseQuantity::kSmis] = Count::Missing("no perf");
  noise.worst_zone = "Node 0, zone DMA32";
  noise.top_irqs = {{"24 nvme0q1", 7}, {"TLB", 2}};
  return noise;
}

// A valid trial with every field set, each to another value.
inline TrialRecord SampleTrial(const std::string& id = "0123456789abcdef") {
  TrialRecord trial;
  trial.id = id;
  trial.block = 3;
  trial.attempt = 2;
  trial.params = {{"ple_gap", "128"}, {"ple_window", "4096"}};
  trial.workload.payload = "ttas";
  trial.workload.vcpus = 2;
  trial.workload.cpus = {0, 5};
  trial.workload.hold_tsc_cycles = 2000;
  trial.workload.think_tsc_cycles = 17;
  trial.workload.iterations = 20'000;
  trial.workload.body_loops = 9;
  trial.workload.scheduling = guests::VcpuScheduling::kFifo;
  trial.workload.interrupts_off = guests::InterruptsOff::kHolding;
  trial.workload.hold_distribution = guests::Distribution::kExponential;
  trial.workload.think_distribution = guests::Distribution::kExponential;
  trial.workload.random_seed = 77;
  trial.workload.relax_repeat = 8;
  trial.pause_exits = 701;
  trial.pause_exits_check = 702;
  trial.exits = {{"PAUSE_INSTRUCTION", 701}, {"EXTERNAL_INTERRUPT", 75}};
  trial.exits_total = 776;
  trial.kvm_exits_total = 777;
  trial.window_updates = 20;
  trial.window_growths = 15;
  trial.window_shrinks = 5;
  trial.throughput_per_s = 123'456.789;
  trial.tsc_khz = 200'000;
  trial.elapsed_tsc_cycles = 1'234'567'890'123;
  trial.vcpus.resize(2);
  trial.vcpus[0].acquisitions = 20'000;
  trial.vcpus[0].spins = 1'000'000;
  trial.vcpus[0].contended = 300;
  trial.vcpus[0].tsc_start = 11;
  trial.vcpus[0].tsc_end = UINT64_MAX;
  trial.vcpus[0].wait_tsc_cycles_total = 13;
  trial.vcpus[0].wait_tsc_cycles_max = 12;
  trial.vcpus[0].wait_histogram = {{1, 19'999}, {12, 1}};
  trial.fairness_jain = 0.875;
  trial.waits = {.p50 = 1, .p99 = 2, .p99_9 = 3, .max = 12};
  trial.vcpus[0].kvm_exits = 400;
  trial.vcpus[0].involuntary_switches = 8;
  trial.vcpus[0].voluntary_switches = 4;
  trial.vcpus[0].user_ns = 21;
  trial.vcpus[0].system_ns = 22;
  trial.vcpus[0].guest_ns = 23;
  trial.vcpus[0].run_delay_ns = Count::Missing("no schedstat");
  trial.vcpus[0].kvm_stats = {{{"exits", 400}, {"halt_exits", 3}}, ""};
  trial.vms.resize(1);
  trial.vms[0].throughput_per_s = 9.5;
  trial.vms[0].elapsed_tsc_cycles = 31;
  trial.vms[0].fairness_jain = 0.25;
  trial.vms[0].waits = guests::WaitSummary{1, 2, 3, 4};
  trial.contention = trial.vms[0].contention = guests::Contention{0.5, 300, 20'000};
  trial.vms[0].kvm_stats = {{{"mmu_cache_miss", 9}}, ""};
  trial.energy_uj = {{"energy-pkg", Count::Missing("no RAPL")}};
  trial.pause_sites = PauseSites{.sites = {{0x1004, "spin+0x4", true, 701}}, .other_exits = 0};
  trial.vcpus[1].extra = {{"pause_interval_tsc_cycles", 3}};
  trial.observed.resize(2);
  trial.observed[0].pause_exits = 700;
  trial.observed[0].by_reason = {{"PAUSE_INSTRUCTION", 700}};
  trial.observed[1].pause_exits = 1;
  trial.ple_off_because = "a reason";
  trial.noise = SampleNoise();
  trial.timings = {.params_ns = 1, .setup_ns = 2, .run_ns = 3, .teardown_ns = 4, .own_ns = 5};
  return trial;
}

inline TrialRecord InvalidTrial(const std::string& id, const std::string& because) {
  TrialRecord trial = SampleTrial(id);
  trial.invalid_because = because;
  return trial;
}

inline Manifest SampleManifest(uint64_t seed = 7) {
  Manifest manifest;
  manifest.plectl_version = "0.1.0";
  manifest.plan = {{"name", "sample"}, {"seed", seed}, {"blocks", 3}, {"text", "name: sample\n"}};
  manifest.plan_sha256 = "abc";
  manifest.payload_sha256 = "0123";
  manifest.seed = seed;
  manifest.host = {{"cpu", {{"model_name", "Test CPU"}}}, {"lab", nullptr}};
  manifest.observers = {"bpf-exit", "bpf-on-spin"};
  manifest.observer_cost = {{"instructions_per_pause_exit", 322}};
  return manifest;
}

template <class T>
std::string LineOf(const T& entry) {
  return ToJson(entry).dump() + '\n';
}

}  // namespace plectl::experiment
