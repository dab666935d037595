// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/fingerprint.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "host_tools/base/text.h"
#include "host_tools/host/cpu_info.h"
#include "host_tools/host/host_settings.h"
#include "host_tools/host/kernel_fixes.h"
#include "host_tools/host/module_params.h"
#include "host_tools/host/scheduler_facts.h"
#include "host_tools/host/tsc_frequency.h"

namespace plectl::host {
namespace {

using nlohmann::json;

constexpr std::string_view kCpuFolder = "/sys/devices/system/cpu";

json Missing(std::string_view because) { return {{"missing_because", because}}; }

json FileText(const HostRoot& root, const std::string& path) {
  const Result<std::string> text = root.ReadTrimmed(path);
  return text ? json(*text) : Missing(text.error().message);
}

// Every file of a folder: {"name": "text", ...}.
json FolderTexts(const HostRoot& root, const std::string& folder) {
  const Result<std::vector<std::string>> names = root.List(folder);
  if (!names) return Missing(names.error().message);
  json texts = json::object();
  for (const std::string& name : *names)
    texts[name] = FileText(root, fmt::format("{}/{}", folder, name));
  return texts;
}

json CpuField(const CpuInfo& cpu, std::string_view name) {
  const std::optional<std::string> text = cpu.Field(name);
  return text ? json(*text) : Missing(fmt::format("no \"{}\" in /proc/cpuinfo", name));
}

// A number where it is one: family, model and stepping are.
json CpuNumber(const CpuInfo& cpu, std::string_view name) {
  const std::optional<uint64_t> number = ParseUint(cpu.Field(name).value_or(""));
  return number ? json(*number) : CpuField(cpu, name);
}

json CpuFlag(const CpuInfo& cpu, std::string_view list, std::string_view flag) {
  const std::optional<bool> has = cpu.HasFlag(list, flag);
  return has ? json(*has) : Missing(fmt::format("no \"{}\" in /proc/cpuinfo", list));
}

json Cpu(const HostRoot& root) {
  const Result<CpuInfo> cpu = CpuInfo::Read(root);
  if (!cpu) return Missing(cpu.error().message);
  json fields = {
      {"vendor", CpuField(*cpu, "vendor_id")},
      {"model_name", CpuField(*cpu, "model name")},
      {"family", CpuNumber(*cpu, "cpu family")},
      {"model", CpuNumber(*cpu, "model")},
      {"stepping", CpuNumber(*cpu, "stepping")},
      {"microcode", CpuField(*cpu, "microcode")},
      {"hypervisor", CpuFlag(*cpu, "flags", "hypervisor")},
  };
  const bool is_zhaoxin = fields["vendor"] == "Shanghai" || fields["vendor"] == "CentaurHauls";
  if (fields["vendor"] == "GenuineIntel" || is_zhaoxin)
    fields["ple"] = CpuFlag(*cpu, "vmx flags", "ple");
  if (fields["vendor"] == "AuthenticAMD" || fields["vendor"] == "HygonGenuine") {
    fields["pausefilter"] = CpuFlag(*cpu, "flags", "pausefilter");
    fields["pfthreshold"] = CpuFlag(*cpu, "flags", "pfthreshold");
  }
  return fields;
}

json Kernel(const HostRoot& root) {
  return {{"release", FileText(root, "/proc/sys/kernel/osrelease")},
          {"build", FileText(root, "/proc/sys/kernel/version")}};
}

// What directed yields depend on; the fix is the kernel's own answer where it could be asked.
json Scheduler(const SchedulerFacts& facts) {
  return {{"forfeits_on_yield", facts.forfeits_on_yield},
          {"forfeits_because", facts.forfeits_because},
          {"hrtick", facts.hrtick},
          {"flat_pick", facts.flat_pick},
          {"sched_ext", facts.sched_ext},
          {"sched_ext_yields", facts.sched_ext_yields},
          {"core_scheduling", facts.core_scheduling},
          {"preemption", facts.preemption},
          {"base_slice_ns", facts.base_slice_ns ? json(*facts.base_slice_ns)
                                                : Missing("not shown in /sys/kernel/debug/sched")}};
}

json KernelFixes(const HostRoot& root, const SchedulerFacts& scheduler) {
  const auto version = UpstreamVersion(root.ReadTrimmed("/proc/sys/kernel/osrelease").value_or(""),
                                       root.ReadTrimmed("/proc/sys/kernel/version").value_or(""));
  return {{"32bd348be3fa", HasLastBoostedVcpuFix(version)},
          {"79104becf42b", scheduler.forfeits_on_yield}};
}

json Module(const HostRoot& root) {
  const Result<KvmModule> module = LoadedModule(root);
  if (!module) return Missing(module.error().message);
  const Result<ParamValues> params = ReadParams(root, *module);
  return {{"name", ModuleName(*module)},
          {"built_in", IsBuiltIn(root, *module)},
          {"params", params ? json(*params) : Missing(params.error().message)}};
}

json Smt(const HostRoot& root) {
  return {{"active", FileText(root, fmt::format("{}/smt/active", kCpuFolder))},
          {"control", FileText(root, fmt::format("{}/smt/control", kCpuFolder))}};
}

// The unified hierarchy (cgroup v2) is the line "0::PATH" of /proc/self/cgroup.
json CgroupControllers(const HostRoot& root, std::string_view line) {
  return FileText(root, fmt::format("/sys/fs/cgroup{}/cgroup.controllers", line.substr(3)));
}

json Cgroup(const HostRoot& root) {
  const Result<std::string> text = root.ReadTrimmed("/proc/self/cgroup");
  if (!text) return Missing(text.error().message);
  json fields = {{"hierarchies", json::array()}};
  for (const std::string_view line : Split(*text, '\n')) {
    if (line.empty()) continue;
    fields["hierarchies"].push_back(line);
    if (line.starts_with("0::")) fields["controllers"] = CgroupControllers(root, line);
  }
  return fields;
}

// What the lab was told of itself, else what its kernel was.
json LabFacts(const HostRoot& root, std::string_view description) {
  const Result<std::string> text = root.Read("/run/plectl-lab.json");
  if (!text) return description;
  json facts = json::parse(*text, nullptr, false);
  return facts.is_object() ? facts : json(description);
}

json Lab(const HostRoot& root) {
  constexpr std::string_view kKey = "plectl.lab=";
  const Result<std::string> command_line = root.ReadTrimmed("/proc/cmdline");
  if (!command_line) return Missing(command_line.error().message);
  for (const std::string_view word : Split(*command_line, ' ')) {
    if (word.starts_with(kKey)) return LabFacts(root, word.substr(kKey.size()));
  }
  return nullptr;
}

json Tsc(const HostRoot& root) {
  if (!root.is_real()) return Missing("a recorded host has no running TSC");
  const Count khz = TscKhz();
  return khz.has_value() ? json(khz.value()) : Missing(khz.missing_because());
}

// Files and paths may hold any bytes, JSON only UTF-8: the rest is replaced here as it will be in
// the run log, which later fingerprints are compared with.
json WithoutOtherBytes(const json& value) {
  return json::parse(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

json Fingerprint(const HostRoot& root) {
  const std::string cpu_folder(kCpuFolder);
  const SchedulerFacts scheduler = ReadSchedulerFacts(root);
  return WithoutOtherBytes({
      {"cpu", Cpu(root)},
      {"cpus_online", FileText(root, cpu_folder + "/online")},
      {"smt", Smt(root)},
      {"governor", FileText(root, cpu_folder + "/cpu0/cpufreq/scaling_governor")},
      {"no_turbo", FileText(root, cpu_folder + "/intel_pstate/no_turbo")},
      {"clocksource",
       FileText(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource")},
      {"tsc_khz", Tsc(root)},
      {"kernel", Kernel(root)},
      {"kernel_fixes", KernelFixes(root, scheduler)},
      {"scheduler", Scheduler(scheduler)},
      {"module", Module(root)},
      {"kvm_params", FolderTexts(root, "/sys/module/kvm/parameters")},
      {"mitigations", FolderTexts(root, cpu_folder + "/vulnerabilities")},
      {"cgroup", Cgroup(root)},
      {"settings", HostSettings(root)},
      {"lab", Lab(root)},
  });
}

}  // namespace plectl::host
