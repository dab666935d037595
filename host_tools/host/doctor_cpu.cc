// SPDX-License-Identifier: Apache-2.0
// The doctor's checks of what the CPU offers (vmx_hardware_setup() of arch/x86/kvm/vmx/vmx.c,
// svm_hardware_setup() and svm_vm_init() of arch/x86/kvm/svm/svm.c).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host_tools/host/doctor_checks.h"

namespace plectl::host {
namespace {

constexpr std::string_view kElsewhere =
    "use a physical host, or sweep in the lab: plectl sweep PLAN --host lab";

Finding LookAtHost(const DoctorFacts& facts) {
  const auto& options = facts.config.options;
  const auto lab = std::ranges::find_if(options, [](const ModuleOption& option) {
    return IsFromCommandLine(option) && option.module == "plectl" && option.name == "lab";
  });
  if (lab != options.end()) {
    return Ok(fmt::format("the lab, an emulator, not silicon: {}", lab->value.value_or("")));
  }
  if (!facts.cpu) return Unknown(facts.cpu.error().message);
  return Ok(facts.HasFlag("hypervisor") ? "a virtual machine" : "a physical host");
}

Finding LookAtVendor(const DoctorFacts& facts) {
  if (!facts.cpu) return Unknown(facts.cpu.error().message);
  const std::optional<std::string> vendor = facts.cpu->Field("vendor_id");
  if (!vendor) return Unknown("/proc/cpuinfo names no vendor_id");
  const std::string model = facts.cpu->Field("model name").value_or("no model name");
  const std::string seen = fmt::format("{}, {}", *vendor, model);
  const bool known =
      *vendor == "GenuineIntel" || *vendor == "AuthenticAMD" || *vendor == "HygonGenuine";
  if (known) return Ok(seen);
  // Zhaoxin's (Shanghai, CentaurHauls) have VMX and PLE, and kvm_intel drives them.
  if (!facts.HasFlag("vmx") && !facts.HasFlag("svm")) {
    return Blocker(seen, std::string(kElsewhere));
  }
  Finding finding = Warning(seen, "run plectl calibrate first, and look whether its gap is one");
  finding.why = "plectl is tested on Intel's and AMD's CPUs only";
  return finding;
}

Finding LookAtVirtualization(const DoctorFacts& facts) {
  if (!facts.cpu) return Unknown(facts.cpu.error().message);
  if (!facts.cpu->Field("flags")) return Unknown("/proc/cpuinfo has no flags");
  for (const std::string_view flag : {"vmx", "svm"}) {
    if (facts.HasFlag(flag)) return Ok(fmt::format("{} in the flags of /proc/cpuinfo", flag));
  }
  return Blocker("neither vmx nor svm in the flags of /proc/cpuinfo",
                 facts.HasFlag("hypervisor")
                     ? "let the hypervisor below nest (kvm_intel or kvm_amd: nested=1), or sweep "
                       "in the lab: plectl sweep PLAN --host lab"
                     : "enable VT-x or AMD-V (SVM) in the firmware, or sweep in the lab: plectl "
                       "sweep PLAN --host lab");
}

std::string HowToSwitchOn(const DoctorFacts& facts, std::string_view name, uint64_t value) {
  if (facts.built_in) {
    return fmt::format("{}.{}={} on the kernel command line, then reboot",
                       ModuleName(*facts.module), name, value);
  }
  return fmt::format("sudo plectl params set {}={}, or a sweep that does so", name, value);
}

Finding SwitchedOff(const DoctorFacts& facts, std::string_view name, std::string_view value,
                    uint64_t kernel_default) {
  Finding finding = Warning(fmt::format("the CPU has it, but {}={} switches it off", name, value),
                            HowToSwitchOn(facts, name, kernel_default));
  finding.why = fmt::format("{}=0 tells KVM to run every new VM without PAUSE exits", name);
  return finding;
}

// The first of the parameters that turn PAUSE exits off.
std::optional<Finding> FindSwitchedOff(const DoctorFacts& facts, KvmModule module) {
  for (const PleParam& param : PleParams(module)) {
    const bool is_switch = param.name == "ple_gap" || param.name == "pause_filter_count" ||
                           param.name == "pause_filter_thresh";
    if (is_switch && facts.Param(param.name) == "0") {
      return SwitchedOff(facts, param.name, "0", param.kernel_default);
    }
  }
  return std::nullopt;
}

Finding NoIntelPle(bool guest) {
  Finding finding = Blocker(guest ? "an Intel guest (hypervisor flag) without PLE"
                                  : "no ple in the vmx flags: no hardware PLE",
                            std::string(kElsewhere));
  finding.why = guest ? "KVM never shows PLE to an Intel guest, and kvm_intel sets all ple_* to 0"
                      : "without it kvm_intel sets all ple_* to 0: no PAUSE exits, whatever is set";
  return finding;
}

Finding LookAtIntelPle(const DoctorFacts& facts) {
  // KVM zeroes it without the hardware, so another value is as good as the flag.
  const std::optional<std::string> gap = facts.Param("ple_gap");
  const bool shown = facts.cpu->HasFlag("vmx flags", "ple").value_or(false);
  if (shown || (gap && gap != "0")) {
    if (auto off = FindSwitchedOff(facts, KvmModule::kIntel)) return *std::move(off);
    return Ok(fmt::format("PLE{}{}", shown ? " in the vmx flags" : "",
                          gap ? fmt::format(", ple_gap={}", *gap) : ""));
  }
  const bool guest = facts.HasFlag("hypervisor");
  if (guest || facts.cpu->Field("vmx flags")) return NoIntelPle(guest);
  return Unknown("/proc/cpuinfo has no \"vmx flags\": VMX is off, or the kernel older than 5.6",
                 "see virtualization; or boot a newer kernel");
}

Finding NoAmdFilter(std::string_view seen, std::string_view why) {
  Finding finding = Blocker(std::string(seen), std::string(kElsewhere));
  finding.why = why;
  return finding;
}

Finding LookAtAmdFilter(const DoctorFacts& facts) {
  if (!facts.HasFlag("svm")) {
    return Unknown("without svm the flags do not tell", "see virtualization");
  }
  if (!facts.HasFlag("pausefilter")) {
    return NoAmdFilter("no pausefilter in the flags: no hardware pause filter",
                       "without it kvm_amd sets its count and threshold to 0: no PAUSE exits");
  }
  if (!facts.HasFlag("pfthreshold")) {
    return NoAmdFilter("filter off, no threshold: pausefilter without pfthreshold in the flags",
                       "without PFTHRESHOLD kvm_amd sets pause_filter_thresh=0 and leaves the "
                       "filter off: no PAUSE exits at any count");
  }
  if (auto off = FindSwitchedOff(facts, KvmModule::kAmd)) return *std::move(off);
  if (!facts.HasFlag("hypervisor")) return Ok("pausefilter and pfthreshold in the flags");
  Finding finding = Warning("pausefilter and pfthreshold in the flags of an AMD guest",
                            "prefer a physical host; tell nested results from others");
  finding.why = "in a guest the hypervisor below may intercept PAUSE too and change the count";
  return finding;
}

Finding LookAtCapability(const DoctorFacts& facts) {
  if (!facts.cpu) return Unknown(facts.cpu.error().message);
  const std::string vendor = facts.cpu->Field("vendor_id").value_or("");
  if (vendor == "GenuineIntel") return LookAtIntelPle(facts);
  if (vendor == "AuthenticAMD" || vendor == "HygonGenuine") return LookAtAmdFilter(facts);
  if (facts.HasFlag("vmx")) return LookAtIntelPle(facts);
  if (facts.HasFlag("svm")) return LookAtAmdFilter(facts);
  return Unknown("the vendor is not one whose PLE is known");
}

constexpr std::array kChecks = {
    Check{"host", "emulated instructions and nested VMs do not predict throughput on silicon",
          LookAtHost},
    Check{"cpu_vendor", "KVM drives Intel's PLE and AMD's pause filter; nothing else is known here",
          LookAtVendor},
    Check{"virtualization", "PAUSE exits are exits of a hardware VM: KVM needs VMX or SVM",
          LookAtVirtualization},
    Check{"pause_loop_capability", "without it no setting makes a spinning vCPU exit",
          LookAtCapability},
};

}  // namespace

std::span<const Check> CpuChecks() { return kChecks; }

}  // namespace plectl::host
