// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/lab/job_memory.h"

namespace plectl::lab {
namespace {

constexpr uint64_t kStartTime = 1'700'000'000;
constexpr uint64_t kSeedMax = 400'000'000;  // the start time stays a positive 32-bit number
constexpr uint64_t kInstructionsPerSecondMin = 20'000'000;
constexpr uint64_t kInstructionsPerSecondMax = 4'000'000'000;
constexpr uint32_t kMemoryMibMin = 160;
constexpr uint32_t kMemoryMibMax = 2048;
constexpr uint32_t kCpusMax = 4;
constexpr size_t kKernelArgumentsMax = 512;

template <class T>
Status CheckRange(std::string_view what, T value, T low, T high) {
  if (value >= low && value <= high) return OkStatus();
  return BadInput(fmt::format("{} {} is out of range: {} to {}", what, value, low, high));
}

// They become part of one line of the boot loader's. The agent believes what stands there as
// plectl's own.
Status CheckKernelArguments(std::string_view arguments) {
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (!std::ranges::all_of(arguments, is_plain)) {
    return BadInput("the lab's kernel arguments must be plain ASCII on one line");
  }
  if (arguments.size() > kKernelArgumentsMax) {
    return BadInput(fmt::format("the lab's kernel arguments have {} characters: at most {}",
                                arguments.size(), kKernelArgumentsMax));
  }
  if (arguments.find("plectl.") == std::string_view::npos) return OkStatus();
  return BadInput("the lab's kernel arguments must not hold plectl's own (plectl.*)");
}

// What the kernel takes long for and nobody misses here. ftrace_check_for_weak_functions looks up
// the name of each of 37,000 functions; trace_eval_init puts numbers for names into the formats of
// built-in tracepoints (modules, so KVM, get theirs all the same); blake2s_mod_init is a self-test.
constexpr std::string_view kSkippedInitcalls =
    "load_system_certificate_list,init_blk_tracer,crypto_kdf108_init,trace_eval_init,"
    "ftrace_check_for_weak_functions,init_evm,init_ima,i8042_init,blake2s_mod_init";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// CPU features that the emulator has and cannot be trusted with. RDRAND is hidden because Bochs
// seeds it from the host's clock; MWAITX never wakes in Bochs 2.7. XSAVES and XSAVEC, which only
// its AMD CPU has, lose vector registers when programs take turns: of 16 searches in a file 15
// failed.
std::string HiddenFeatures(const LabOptions& options) {
  constexpr std::string_view kOfAll = "rdrand,rdseed,fsrm,mwaitx";
  return fmt::format("{}{}", kOfAll, options.cpu == LabCpu::kAmd ? ",xsaves,xsavec" : "");
}

}  // namespace

Result<LabCpuChoice> FindLabCpu(std::string_view name) {
  for (const LabCpu cpu : {LabCpu::kIntel, LabCpu::kAmd}) {
    if (name == LabCpuName(cpu)) return LabCpuChoice{cpu, std::nullopt};
  }
  PLECTL_ASSIGN_OR_RETURN(const std::vector<CpuProfile> profiles, BuiltInCpuProfiles());
  std::vector<std::string_view> names = {"intel", "amd"};
  for (const CpuProfile& profile : profiles) {
    if (name == profile.name) return LabCpuChoice{profile.vendor, profile};
    names.push_back(profile.name);
  }
  return BadInput(fmt::format("the lab has no CPU \"{}\"{}", name, SuggestionText(name, names)),
                  fmt::format("use one of: {}", fmt::join(names, ", ")));
}

std::string_view BochsCpuModel(LabCpu cpu) {
  return cpu == LabCpu::kIntel ? "corei7_haswell_4770" : "ryzen";
}

Status CheckLabOptions(const LabOptions& options) {
  PLECTL_RETURN_IF_ERROR(CheckRange<uint64_t>("the lab's seed", options.seed, 0, kSeedMax));
  PLECTL_RETURN_IF_ERROR(CheckRange("the lab's instructions per second", options.instructions_per_s,
                                    kInstructionsPerSecondMin, kInstructionsPerSecondMax));
  if ((options.cpus != 0 && !std::has_single_bit(options.cpus)) || options.cpus > kCpusMax) {
    return BadInput(fmt::format("the lab cannot have {} CPUs: 1, 2 or 4", options.cpus));
  }
  PLECTL_RETURN_IF_ERROR(CheckKernelArguments(options.kernel_arguments));
  if (!options.disk.empty()) PLECTL_RETURN_IF_ERROR(CheckDisk(options.disk));
  return CheckRange("the lab's memory in MiB", options.memory_mib, kMemoryMibMin, kMemoryMibMax);
}

uint32_t CpusOf(const LabOptions& options) { return std::max(options.cpus, 1U); }

uint64_t StartTime(const LabOptions& options) {
  constexpr uint64_t kOffTime = 60;
  if (options.start != LabStart::kCold) return kStartTime;
  const uint64_t start = kStartTime + options.seed;
  return options.disk_facts ? std::max(start, options.disk_facts->written_at_s + kOffTime) : start;
}

uint64_t SeedDelay(const LabOptions& options) {
  constexpr uint64_t kTicksPerSecond = 250;
  // The golden ratio in 32-bit fixed point: its multiples, fractions only, leave no large gap.
  constexpr uint64_t kGoldenRatio = 2'654'435'769;
  const uint64_t tick_tsc_cycles = options.instructions_per_s / kTicksPerSecond;
  const uint64_t fraction = options.seed * kGoldenRatio & UINT32_MAX;
  return fraction * tick_tsc_cycles >> 32;
}

Result<std::filesystem::path> DefaultLabDirectory() {
  if (const std::string own = Variable("PLECTL_LAB_DIR"); !own.empty()) {
    return std::filesystem::path(own);
  }
  if (const std::string cache = Variable("XDG_CACHE_HOME"); !cache.empty()) {
    return std::filesystem::path(cache) / "plectl/lab";
  }
  if (const std::string home = Variable("HOME"); !home.empty()) {
    return std::filesystem::path(home) / ".cache/plectl/lab";
  }
  return Environment("there is no place for the lab: HOME is not set",
                     "set PLECTL_LAB_DIR, or use --lab-dir");
}

std::string LabDescription(const LabOptions& options, std::string_view engine_version) {
  return fmt::format("bochs-{},{},cpus={},ips={},time0={}", engine_version,
                     BochsCpuModel(options.cpu), CpusOf(options), options.instructions_per_s,
                     StartTime(options));
}

std::string KernelCommandLine(const LabOptions& options, std::string_view engine_version) {
  // idle=halt: with MWAIT a wake-up between emulated CPUs gets lost and both sleep for ever.
  // DAMON's statistics, on by default in Debian's Linux 7.2, take over 1 % of the lab's slow CPU at
  // times.
  return fmt::format(
      "console=ttyS0,115200 rdinit=/init {} panic=-1 oops=panic nokaslr tsc=reliable lpj=800000 "
      "mitigations=off nowatchdog no_timer_check cryptomgr.notests init_on_alloc=0 audit=0 "
      "lsm=capability ipv6.disable=1 damon_stat.enabled=0 random.trust_cpu=off "
      "clearcpuid={} initcall_blacklist={} "
      "{}plectl.lab={}{}{}{}",
      options.verbose_console ? "loglevel=7" : "quiet loglevel=1", HiddenFeatures(options),
      kSkippedInitcalls, CpusOf(options) > 1 ? "idle=halt " : "",
      LabDescription(options, engine_version),
      options.start == LabStart::kSnapshot
          ? fmt::format(" {} {}", JobMemoryKernelArgument(), kSnapshotArgument)
          : "",
      options.kernel_arguments.empty() ? "" : " ", options.kernel_arguments);
}

}  // namespace plectl::lab
