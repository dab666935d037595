// SPDX-License-Identifier: Apache-2.0
#include "bench/samples.h"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>

namespace plectl::bench {
namespace {

using experiment::TrialRecord;

guests::Workload SampleWorkload(uint64_t hold_tsc_cycles, uint32_t vcpus) {
  guests::Workload workload;
  workload.payload = "ttas";
  workload.vcpus = vcpus;
  workload.cpus = {0};
  workload.hold_tsc_cycles = hold_tsc_cycles;
  workload.iterations = 20'000;
  return workload;
}

host::NoiseRecord SampleNoise() {
  host::NoiseRecord noise;
  noise.window_ns = 5'000'000;
  for (const host::NoiseQuantityInfo& info : host::NoiseQuantities()) {
    noise.counts[info.quantity] = 17;
  }
  return noise;
}

void AddCounts(TrialRecord& trial) {
  trial.pause_exits = trial.pause_exits_check = 11'607;
  trial.exits = {{"PAUSE_INSTRUCTION", 11'607}, {"EXTERNAL_INTERRUPT", 75}, {"HLT", 2}};
  trial.exits_total = trial.kvm_exits_total = 11'684;
  trial.window_updates = trial.window_growths = trial.window_shrinks = 0;
}

void AddVcpus(TrialRecord& trial) {
  trial.vcpus.resize(trial.workload.vcpus);
  for (guests::VcpuResult& vcpu : trial.vcpus) {
    vcpu.acquisitions = 20'000;
    vcpu.spins = 1'000'000;
    vcpu.tsc_end = 80'000'000;
    vcpu.kvm_exits = 5'842;
    vcpu.user_ns = 40'000'000;
  }
}

}  // namespace

TrialRecord SampleTrial(uint64_t number, uint32_t vcpus) {
  TrialRecord trial;
  trial.id = fmt::format("{:016x}", number);
  trial.params = {{"ple_gap", "128"},
                  {"ple_window", std::to_string(number / 4)},
                  {"ple_window_grow", "0"},
                  {"ple_window_max", "4294967295"},
                  {"ple_window_shrink", "0"}};
  trial.workload = SampleWorkload(2000, vcpus);
  AddCounts(trial);
  AddVcpus(trial);
  trial.throughput_per_s = 100'000.25 + static_cast<double>(number % 4);
  trial.tsc_khz = 200'000;
  trial.elapsed_tsc_cycles = 80'000'000;
  trial.noise = SampleNoise();
  return trial;
}

experiment::Manifest SampleManifest() {
  experiment::Manifest manifest;
  manifest.plectl_version = "0.1.0";
  manifest.plan_sha256 = manifest.payload_sha256 = std::string(64, '0');
  manifest.observers = {"bpf-exit", "bpf-on-spin"};
  return manifest;
}

std::string SampleRunLog(uint64_t trials) {
  std::string text = ToLine(SampleManifest());
  for (uint64_t number = 0; number < trials; ++number) text += ToLine(SampleTrial(number));
  return text;
}

experiment::Plan SamplePlan(uint64_t param_sets) {
  experiment::Plan plan;
  plan.blocks = 3;
  plan.arms = {experiment::Arm::kPause, experiment::Arm::kNop};
  plan.workloads = {SampleWorkload(2000, 2), SampleWorkload(4000, 2)};
  for (uint64_t set = 0; set < param_sets; ++set) {
    plan.param_sets.push_back({{"ple_gap", "128"}, {"ple_window", std::to_string(set)}});
  }
  return plan;
}

std::string SamplePlanText(uint64_t workloads) {
  std::string text = "name: sample\nparams: {ple_gap: 128, ple_window: 4096}\nworkloads:\n";
  for (uint64_t hold = 0; hold < workloads; ++hold) {
    text += fmt::format(
        "  - {{payload: ttas, vcpus: 2, cpus: [0], hold_tsc_cycles: {}, iterations: 20000}}\n",
        hold);
  }
  return text;
}

std::vector<uint8_t> SampleElf(uint16_t segments) {
  constexpr uint64_t kSegmentSize = 4096;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = segments;
  const uint64_t data = sizeof header + segments * sizeof(Elf64_Phdr);
  std::vector<uint8_t> file(data + segments * kSegmentSize);
  std::memcpy(file.data(), &header, sizeof header);
  for (uint64_t i = 0; i < segments; ++i) {
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_offset = data + i * kSegmentSize;
    segment.p_paddr = segment.p_vaddr = PLECTL_LOAD_ADDRESS + i * kSegmentSize;
    segment.p_filesz = segment.p_memsz = kSegmentSize;
    std::memcpy(file.data() + sizeof header + i * sizeof segment, &segment, sizeof segment);
  }
  return file;
}

}  // namespace plectl::bench
