// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace plectl::cli {
namespace {

void AddSeconds(CLI::App& command, const std::string& name, std::chrono::seconds& value,
                const std::string& description) {
  constexpr int64_t kSecondsMax = int64_t{7} * 24 * 60 * 60;
  command
      .add_option_function<int64_t>(
          name, [&value](int64_t seconds) { value = std::chrono::seconds(seconds); }, description)
      ->check(CLI::Range(int64_t{1}, kSecondsMax))
      ->default_str(std::to_string(value.count()));
}

// CLI11 turns the exception into bad usage with its text.
void SetCpu(const std::string& name, lab::LabOptions& options) {
  const Result<lab::LabCpuChoice> choice = lab::FindLabCpu(name);
  if (!choice) throw CLI::ValidationError("--lab-cpu", choice.error().Text());
  options.cpu = choice->cpu;
  options.profile = choice->profile;
}

void SetKernel(const std::vector<std::string>& words, lab::LabOptions& options) {
  Result<lab::LabKernelChoice> choice = lab::FindLabKernel(words);
  if (!choice) throw CLI::ValidationError("--lab-kernel", choice.error().Text());
  options.kernel = *std::move(choice);
}

}  // namespace

void AddLabOptions(CLI::App& command, lab::LabOptions& options) {
  command
      .add_option_function<std::string>(
          "--lab-cpu", [&options](const std::string& name) { SetCpu(name, options); },
          "The emulated CPU: intel (kvm_intel, PLE), amd (kvm_amd), or a profile of what one PAUSE "
          "costs: skylake-client, cascade-lake, zen4, ... (plectl docs lab)")
      ->default_str("intel");
  command
      .add_option("--lab-cpus", options.cpus,
                  "How many CPUs are emulated: 1, 2 or 4 (default: what the plan needs, or 1)")
      ->check(CLI::IsMember({1, 2, 4}));
  command
      .add_option_function<std::string>(
          "--lab-start",
          [&options](const std::string& start) {
            options.start = start == "cold" ? lab::LabStart::kCold : lab::LabStart::kSnapshot;
          },
          "snapshot (of the booted lab, made on first use), or cold: boot it")
      ->check(CLI::IsMember({"snapshot", "cold"}))
      ->default_str("snapshot");
  command
      .add_option_function<std::vector<std::string>>(
          "--lab-kernel",
          [&options](const std::vector<std::string>& words) { SetKernel(words, options); },
          "The lab's kernel: that of debian12, debian12-backports, debian13, debian13-backports or "
          "sid; a .deb file (once for each file of a kernel), or a directory with bzImage and its "
          "modules (plectl docs lab)")
      ->allow_extra_args(false)
      ->type_name("KERNEL")
      ->default_str(std::string(lab::LabKernelName(options.kernel)));
  command
      .add_option_function<std::string>(
          "--lab-engine",
          [&options](const std::string& engine) {
            const bool is_path = engine.find('/') != std::string::npos;
            options.engine = is_path ? std::filesystem::absolute(engine).string() : engine;
          },
          "The emulator: a Bochs with rfb display (plectl docs lab says how to get one)")
      ->default_str(options.engine);
  command.add_option("--lab-dir", options.directory,
                     "Where the lab's files are kept (default $PLECTL_LAB_DIR, or "
                     "~/.cache/plectl/lab)");
  command.add_option("--lab-seed", options.seed,
                     "Another seed is another, equally valid replicate (shifts the lab's phase)");
  command
      .add_option("--lab-ips", options.instructions_per_s,
                  "Emulated instructions per second, which is the lab's TSC frequency")
      ->capture_default_str();
  command
      .add_option("--lab-memory-mib", options.memory_mib,
                  "The lab's memory in MiB; a start takes longer with more")
      ->capture_default_str();
  AddSeconds(command, "--lab-boot-deadline-s", options.deadlines.boot,
             "Give up when the lab is not up after so many seconds, for each of its CPUs");
  AddSeconds(command, "--lab-silence-deadline-s", options.deadlines.silence,
             "Give up when nothing leaves the lab for so many seconds");
}

void AddLabDiskOption(CLI::App& command, lab::LabOptions& options) {
  command
      .add_option("--lab-disk", options.disk,
                  "A disk that outlives the lab, made when FILE is not there: /disk, /var/lib "
                  "and /etc/modprobe.d lie on it. Such a lab always boots (plectl docs lab)")
      ->type_name("FILE");
}

void AddLabKernelArgumentsOption(CLI::App& command, lab::LabOptions& options) {
  command
      .add_option("--lab-kernel-args", options.kernel_arguments,
                  "Arguments for the lab's kernel, after its own: 'nohz_full=1 isolcpus=1' keeps "
                  "CPU 1 free of timer ticks (plectl docs lab)")
      ->type_name("ARGUMENTS");
}

Status CheckLabOptionsHaveALab(const CLI::App& command, bool in_lab) {
  if (in_lab) return OkStatus();
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || !name.starts_with("--lab-")) continue;
    return BadInput(fmt::format("{} is of the lab, but this is to run on the local host", name),
                    fmt::format("add --host lab, or leave {} out", name));
  }
  return OkStatus();
}

Result<uint64_t> RelaxTscCyclesInLab(uint64_t given, const lab::LabOptions& options) {
  if (!options.profile) return given;
  const uint64_t of_profile = options.profile->pause_tsc_cycles;
  if (given == 0 || given == of_profile) return of_profile;
  return BadInput(fmt::format("--relax-tsc-cycles {} was given, but a PAUSE of --lab-cpu {} costs "
                              "{} TSC cycles",
                              given, options.profile->name, of_profile),
                  "give one of the two");
}

}  // namespace plectl::cli
