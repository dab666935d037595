// SPDX-License-Identifier: Apache-2.0
// How the doctor's checks are made; used by doctor*.cc only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/cpu_info.h"
#include "host_tools/host/doctor.h"
#include "host_tools/host/install_line.h"
#include "host_tools/host/modprobe_config.h"
#include "host_tools/host/module_holders.h"
#include "host_tools/host/ple_params.h"
#include "host_tools/host/scheduler_facts.h"

namespace plectl::host {

// A thread of a VM's process that runs a vCPU.
struct VcpuThread {
  std::string vm;            // the process that it belongs to, "4242"
  std::string task;          // its name in /proc, "4242/task/4243"
  std::string cpus;          // Cpus_allowed_list, "0-7"
  std::string cgroup;        // the path where its CPU time is limited, or ""
  uint64_t policy = 0;       // SCHED_OTHER, ... (sched(7))
  uint64_t core_cookie = 0;  // of core scheduling, 0: none, or not known
};
// The VM whose vCPU threads have different cookies of core scheduling, or "".
std::string VmOfSeveralCookies(const std::vector<VcpuThread>& threads);
// Those of the VMs among `holders`, as the kernel names them (debugfs), else by their names;
// threads come and go meanwhile.
struct VcpuThreads {
  std::vector<VcpuThread> threads;
  std::vector<std::string> opaque_vms;  // that name none of theirs: "4242 (qemu, VM a)"
};
VcpuThreads VcpuThreadsOf(const HostRoot& root, const std::vector<Holder>& holders);

// What several checks look at, read once.
struct DoctorFacts {
  static DoctorFacts Gather(const HostRoot& root);

  // False also when the CPU's flags cannot be read.
  [[nodiscard]] bool HasFlag(std::string_view flag) const;
  // The module that this CPU needs, loaded or not.
  [[nodiscard]] std::optional<KvmModule> WantedModule() const;
  // Whether it comes with the kernel's image, started or not.
  [[nodiscard]] bool IsInKernelImage() const;
  // The loaded module's value of a parameter.
  [[nodiscard]] std::optional<std::string> Param(std::string_view name) const;

  HostRoot root;
  Result<CpuInfo> cpu;
  Result<KvmModule> module;         // the loaded one
  std::optional<KvmModule> hidden;  // loaded, but not shown in /sys/module
  bool built_in = false;
  Result<ParamValues> params;  // of the loaded one
  ModprobeConfig config;
  std::optional<InstallLine> install_line;  // of the module that this CPU needs
  std::vector<ModuleOption> next_options;   // of the loaded module, when it is loaded next
  Result<std::vector<Holder>> kvm_holders;  // processes with open KVM files
  VcpuThreads vcpus;
  SchedulerFacts scheduler;
};

// What a check says of one host.
struct Finding {
  Verdict verdict = Verdict::kUnknown;
  std::string seen;
  std::string fix;
  std::string why;  // in place of the check's own, when there is more to say
};
Finding Ok(std::string seen);
Finding Unknown(std::string because, std::string fix = {});
Finding Warning(std::string seen, std::string fix);
Finding Blocker(std::string seen, std::string fix);

// One row of the table: adding a check is adding a row here and in docs/doctor.md.
struct Check {
  std::string_view id;
  std::string_view why;
  Finding (*look)(const DoctorFacts& facts);
};

// The tables, by theme.
std::span<const Check> CpuChecks();          // doctor_cpu.cc
std::span<const Check> ModuleChecks();       // doctor_module.cc
std::span<const Check> LoadChecks();         // doctor_load.cc
std::span<const Check> ParamChecks();        // doctor_params.cc
std::span<const Check> OptionChecks();       // doctor_options.cc
std::span<const Check> AccessChecks();       // doctor_access.cc
std::span<const Check> KernelChecks();       // doctor_kernel.cc
std::span<const Check> SchedulerChecks();    // doctor_scheduler.cc
std::span<const Check> ObserverChecks();     // doctor_observers.cc
std::span<const Check> MeasurementChecks();  // doctor_measurement.cc
std::span<const Check> FrequencyChecks();    // doctor_frequency.cc
std::span<const Check> VcpuChecks();         // doctor_vcpus.cc

// Whether turbo is known to be off: intel_pstate's no_turbo, or cpufreq's boost.
bool IsTurboOff(const HostRoot& root);  // doctor_frequency.cc

inline constexpr std::string_view kAskRoot = "sudo plectl doctor shows it";

}  // namespace plectl::host
