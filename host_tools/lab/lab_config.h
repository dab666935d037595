// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/lab/cpu_profile.h"
#include "host_tools/lab/disk.h"
#include "host_tools/lab/lab_kernel.h"

namespace plectl::lab {

// The CPU model of Bochs 2.7: the ones that have PLE or SVM and boot Debian's kernel 6.1.
std::string_view BochsCpuModel(LabCpu cpu);

// What `--lab-cpu NAME` means: "intel" or "amd" alone, where a PAUSE costs one TSC cycle, or a
// profile's vendor with the profile. BadInput that lists the names for any other.
struct LabCpuChoice {
  LabCpu cpu = LabCpu::kIntel;
  std::optional<CpuProfile> profile;
};
Result<LabCpuChoice> FindLabCpu(std::string_view name);

// How a lab comes up: resumed from a snapshot of the booted machine (made on first use), or booted.
enum class LabStart { kSnapshot, kCold };

// Wall-clock limits. The lab never ends by itself when its kernel hangs.
struct LabDeadlines {
  std::chrono::seconds boot{300};     // from the start of the engine to the agent's hello, per CPU
  std::chrono::seconds silence{180};  // without a frame after that: longer than any one trial
  std::chrono::seconds total{12 * 60 * 60};
  std::chrono::seconds power_off{60};  // from the exit frame to the end of the engine
};

// Everything that shapes a lab. The same options, job, kernel and plectl give bit-identical runs.
struct LabOptions {
  LabCpu cpu = LabCpu::kIntel;
  LabKernelChoice kernel;
  std::optional<CpuProfile> profile;  // for the record; the job itself must pad its payload
  uint32_t cpus = 0;                  // emulated CPUs: 1, 2 or 4; 0: as many as the job needs, or 1
  LabStart start = LabStart::kSnapshot;
  // Another seed is another, equally valid replicate: seconds added to the emulated start time of a
  // cold boot, the phase of a delay (SeedDelay()) before the job of a resumed one.
  uint64_t seed = 0;
  // A disk that outlives the lab (disk.h), or empty. Such a lab always boots: a saved machine and a
  // disk that went on do not fit.
  std::filesystem::path disk;
  std::optional<DiskFacts> disk_facts;        // filled in by RunInLab()
  uint64_t instructions_per_s = 200'000'000;  // emulated; also the TSC frequency in Hz
  uint32_t memory_mib = 176;
  std::string engine = "bochs-bin";  // a program in PATH, or a path
  std::filesystem::path directory;   // cache; empty: DefaultLabDirectory()
  std::string kernel_arguments;      // added to its kernel's command line, or empty
  bool verbose_console = false;      // kernel messages on the console: a boot twice as long
  int stop_fd = -1;                  // readable when the run must end (StopSignal::fd()), or -1
  LabDeadlines deadlines;
};

// BadInput that names the option and its range.
Status CheckLabOptions(const LabOptions& options);

// How many CPUs are emulated.
uint32_t CpusOf(const LabOptions& options);

// The emulated real-time clock at power-on, in seconds since 1970. Of a lab with a disk it goes on
// after what the disk has seen, as a real one does: no two boots look the same to their kernels.
uint64_t StartTime(const LabOptions& options);

// How long a resumed lab waits before its job, in TSC cycles: the seed's place in a sequence that
// covers the period of the kernel's timer tick (CONFIG_HZ=250) ever more evenly. 0 for seed 0.
uint64_t SeedDelay(const LabOptions& options);

// $PLECTL_LAB_DIR, else $XDG_CACHE_HOME/plectl/lab, else $HOME/.cache/plectl/lab.
Result<std::filesystem::path> DefaultLabDirectory();

// The lab in one word for fingerprints: "bochs-2.7,corei7_haswell_4770,ips=...,time0=...".
std::string LabDescription(const LabOptions& options, std::string_view engine_version);

// The command line of the lab's kernel: a short and repeatable boot (docs/lab.md says why each).
std::string KernelCommandLine(const LabOptions& options, std::string_view engine_version);

// On it: this boot is for a snapshot, its agent waits for a job in memory.
inline constexpr std::string_view kSnapshotArgument = "plectl.snapshot";

}  // namespace plectl::lab
