// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "host_tools/base/text.h"

namespace plectl::lab {
namespace {

enum class Needed { kBuiltIn, kOrModule };

struct KernelOption {
  std::string_view name;
  Needed needed;
  std::string_view purpose;
};

// Before the first module can be loaded there is nothing but the kernel.
constexpr std::array<KernelOption, 24> kAlways = {{
    {"CONFIG_X86_64", Needed::kBuiltIn, "the lab is a PC of 64 bits"},
    {"CONFIG_BLK_DEV_INITRD", Needed::kBuiltIn, "the lab's system is an initramfs"},
    {"CONFIG_BINFMT_ELF", Needed::kBuiltIn, "programs"},
    {"CONFIG_BINFMT_SCRIPT", Needed::kBuiltIn, "/init is a script"},
    {"CONFIG_SERIAL_8250_CONSOLE", Needed::kBuiltIn, "the console is serial"},
    {"CONFIG_DEVTMPFS", Needed::kBuiltIn, "/dev"},
    {"CONFIG_PROC_FS", Needed::kBuiltIn, "/proc"},
    {"CONFIG_SYSFS", Needed::kBuiltIn, "/sys"},
    {"CONFIG_TMPFS", Needed::kBuiltIn, "/dev/shm"},
    {"CONFIG_INOTIFY_USER", Needed::kBuiltIn, "records leave the lab as they are written"},
    {"CONFIG_X86_IOPL_IOPERM", Needed::kBuiltIn, "records leave by the parallel port"},
    {"CONFIG_DEVMEM", Needed::kBuiltIn, "a job comes in through memory"},
    {"CONFIG_ACPI", Needed::kBuiltIn, "the lab powers off"},
    {"CONFIG_FUTEX", Needed::kBuiltIn, "threads"},
    {"CONFIG_EPOLL", Needed::kBuiltIn, "programs wait for events"},
    {"CONFIG_SIGNALFD", Needed::kBuiltIn, "stop requests"},
    {"CONFIG_EVENTFD", Needed::kBuiltIn, "KVM and programs wake each other"},
    {"CONFIG_PERF_EVENTS", Needed::kBuiltIn, "exits are counted"},
    {"CONFIG_TRACEPOINTS", Needed::kBuiltIn, "exits are counted at KVM's tracepoints"},
    {"CONFIG_EVENT_TRACING", Needed::kBuiltIn, "exits are counted at KVM's tracepoints"},
    {"CONFIG_BPF_SYSCALL", Needed::kBuiltIn, "exits are counted by BPF programs"},
    {"CONFIG_DEBUG_INFO_BTF", Needed::kBuiltIn, "BPF programs find KVM's types"},
    {"CONFIG_KALLSYMS", Needed::kBuiltIn, "BPF programs find KVM's functions"},
    {"CONFIG_KVM", Needed::kOrModule, "the lab is a host of KVM"},
}};

constexpr KernelOption kIntel = {"CONFIG_KVM_INTEL", Needed::kOrModule, "--lab-cpu intel"};
constexpr KernelOption kAmd = {"CONFIG_KVM_AMD", Needed::kOrModule, "--lab-cpu amd"};
constexpr KernelOption kSmp = {"CONFIG_SMP", Needed::kBuiltIn, "several CPUs"};
constexpr std::array<KernelOption, 3> kDisk = {{
    {"CONFIG_ATA_PIIX", Needed::kOrModule, "--lab-disk"},
    {"CONFIG_BLK_DEV_SD", Needed::kOrModule, "--lab-disk"},
    {"CONFIG_EXT4_FS", Needed::kOrModule, "--lab-disk"},
}};

std::vector<KernelOption> OptionsFor(const LabOptions& options) {
  std::vector<KernelOption> needed(kAlways.begin(), kAlways.end());
  needed.push_back(options.cpu == LabCpu::kIntel ? kIntel : kAmd);
  if (CpusOf(options) > 1) needed.push_back(kSmp);
  if (!options.disk.empty()) needed.insert(needed.end(), kDisk.begin(), kDisk.end());
  return needed;
}

}  // namespace

KernelConfig KernelConfig::Parse(std::string_view text) {
  KernelConfig config;
  for (const std::string_view line : Split(text, '\n')) {
    const size_t equals = line.find('=');
    if (!line.starts_with("CONFIG_") || equals == std::string_view::npos) continue;
    config.values_.insert_or_assign(std::string(line.substr(0, equals)),
                                    std::string(TrimRight(line.substr(equals + 1))));
  }
  return config;
}

bool KernelConfig::IsBuiltIn(std::string_view option) const {
  const auto found = values_.find(option);
  return found != values_.end() && found->second == "y";
}

bool KernelConfig::IsThere(std::string_view option) const {
  const auto found = values_.find(option);
  return found != values_.end() && (found->second == "y" || found->second == "m");
}

std::vector<std::string> MissingKernelOptions(const KernelConfig& config,
                                              const LabOptions& options) {
  std::vector<std::string> missing;
  for (const KernelOption& option : OptionsFor(options)) {
    const bool only_built_in = option.needed == Needed::kBuiltIn;
    if (only_built_in ? config.IsBuiltIn(option.name) : config.IsThere(option.name)) continue;
    missing.push_back(
        fmt::format("{}{} ({})", option.name, only_built_in ? "=y" : "", option.purpose));
  }
  return missing;
}

Status CheckKernelConfig(const KernelConfig& config, const LabOptions& options,
                         std::string_view kernel) {
  if (config.empty()) return OkStatus();
  const std::vector<std::string> missing = MissingKernelOptions(config, options);
  if (missing.empty()) return OkStatus();
  return BadInput(fmt::format("the lab cannot use kernel {}, which was built without {}", kernel,
                              fmt::join(missing, ", ")),
                  "build it with what is missing, or use another --lab-kernel");
}

std::string_view OptionMissingByBehaviour(std::string_view error) {
  struct Sign {
    std::string_view text;
    std::string_view option;
  };
  // In this order: the kernel's own words say more than an empty console.
  constexpr std::array<Sign, 9> kSigns = {{
      {"Unable to mount root fs", "CONFIG_BLK_DEV_INITRD"},
      {"No working init found", "CONFIG_BINFMT_SCRIPT or CONFIG_BINFMT_ELF"},
      {"init (error -8)", "CONFIG_BINFMT_SCRIPT or CONFIG_BINFMT_ELF"},
      {"I/O permission for the parallel port", "CONFIG_X86_IOPL_IOPERM"},
      {"/dev/mem", "CONFIG_DEVMEM"},
      {"/dev/kvm", "CONFIG_KVM_INTEL or CONFIG_KVM_AMD"},
      {"inotify_init1", "CONFIG_INOTIFY_USER"},
      {"did not power off", "CONFIG_ACPI"},
      {"its console is empty", "CONFIG_SERIAL_8250_CONSOLE"},
  }};
  for (const Sign& sign : kSigns) {
    if (error.find(sign.text) != std::string_view::npos) return sign.option;
  }
  return {};
}

}  // namespace plectl::lab
