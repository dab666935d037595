// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_programs.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "host_tools/host/exit_reasons.h"
#include "host_tools/host/kvm_btf.h"
#include "host_tools/host/preemption.h"

namespace plectl::host {

struct BpfPrograms::Settings {
  HostRoot root;
  PidNamespace pid_namespace;
  KvmModule module;
  ExitCodeLocation exit_code;
};

bpf_program* BpfPrograms::ExitProgram() const {
  const auto& programs = skeleton_->progs;
  const bool intel = module_ == KvmModule::kIntel;
  if (wanted_.details.exit_times || wanted_.details.pause_rips) {
    return intel ? programs.on_vmx_exit_detailed : programs.on_svm_exit_detailed;
  }
  return intel ? programs.on_vmx_exit : programs.on_svm_exit;
}

bpf_program* BpfPrograms::OnSpinProgram() const {
  const auto& programs = skeleton_->progs;
  return hooks_ == Hooks::kFentry ? programs.on_spin_fentry : programs.on_spin_kprobe;
}

bpf_link*& BpfPrograms::OnSpinLink() {
  auto& links = skeleton_->links;
  return hooks_ == Hooks::kFentry ? links.on_spin_fentry : links.on_spin_kprobe;
}

const bpf_program* BpfPrograms::window_program() const {
  const auto& programs = skeleton_->progs;
  return hooks_ == Hooks::kFentry ? programs.on_window_update : programs.on_window_event;
}

std::vector<const bpf_program*> BpfPrograms::counting_programs() const {
  const auto& programs = skeleton_->progs;
  std::vector<const bpf_program*> counting = {window_program()};
  if (wanted_.exits) counting.push_back(ExitProgram());
  if (wanted_.details.exit_times || wanted_.details.pause_rips) {
    counting.push_back(programs.on_entry);
  }
  if (wanted_.details.directed_yields) {
    const bool by_kprobes = hooks_ == Hooks::kKprobe;
    if (by_kprobes) counting.push_back(programs.on_yield_begin_kprobe);
    counting.push_back(by_kprobes ? programs.on_yield_kretprobe : programs.on_yield_to);
    counting.push_back(by_kprobes ? programs.on_spin_kretprobe : programs.on_spin_end);
  }
  return counting;
}

// The programs take their arguments by type, from where they are since Linux 5.16.
Status CheckArguments(const VcpuLayout& layout, const BpfWanted& wanted) {
  const bool wants_entries = wanted.details.exit_times || wanted.details.pause_rips;
  if (!wanted.exits || (layout.exit_vcpu_argument == 0 &&
                        (!wants_entries || layout.entry_vcpu_argument == uint32_t{0}))) {
    return OkStatus();
  }
  return Environment(
      "this kernel's tracepoint kvm_exit does not begin with the vCPU (Linux 5.15 "
      "and older)",
      "use the perf observers on this host");
}

// All that are in the object but not wanted cost nothing, not even the verifier's time.
void BpfPrograms::ChoosePrograms() {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    bpf_program__set_autoload(program, false);
  }
  for (const bpf_program* counting : counting_programs()) {
    bpf_program__set_autoload(
        bpf_object__find_program_by_name(skeleton_->obj, bpf_program__name(counting)), true);
  }
  bpf_program__set_autoload(OnSpinProgram(), true);
  bpf_program__set_autoattach(OnSpinProgram(), wanted_.on_spin);
}

void BpfPrograms::Configure(const Settings& settings) {
  auto& constants = *skeleton_->rodata;
  constants.pid_namespace_dev = settings.pid_namespace.dev;
  constants.pid_namespace_inode = settings.pid_namespace.inode;
  constants.vmcb_offset = settings.exit_code.vmcb_offset;
  constants.exit_code_offset = settings.exit_code.exit_code_offset;
  constants.pause_exit_code = PauseExitCode(module_);
  constants.wants_exit_times = wanted_.details.exit_times ? 1 : 0;
  constants.wants_pause_rips = wanted_.details.pause_rips ? 1 : 0;
  if (wanted_.details.exit_times) bpf_map__set_max_entries(skeleton_->maps.vcpu_times, kMaxVcpus);
  ChoosePrograms();
}

Result<std::shared_ptr<BpfPrograms>> BpfPrograms::LoadWith(const Settings& settings, Hooks hooks,
                                                           BpfWanted wanted) {
  const HostRoot& root = settings.root;
  const LibbpfLog log;
  SkeletonPtr<exit_counter> skeleton(exit_counter::open());
  if (skeleton == nullptr) return BpfFailure(root, "open the BPF exit counters", errno, log);
  std::shared_ptr<BpfPrograms> programs(
      new BpfPrograms(settings.module, hooks, wanted, std::move(skeleton)));
  programs->Configure(settings);
  if (const int error = exit_counter::load(programs->skeleton_.get()); error != 0) {
    return BpfFailure(root, "load the BPF exit counters", -error, log);
  }
  if (const int error = exit_counter::attach(programs->skeleton_.get()); error != 0) {
    return BpfFailure(root, "attach the BPF exit counters to KVM", -error, log);
  }
  return programs;
}

Result<std::shared_ptr<BpfPrograms>> BpfPrograms::Load(const HostRoot& root, KvmModule module,
                                                       BpfWanted wanted) {
  PLECTL_ASSIGN_OR_RETURN(const PidNamespace pid_namespace, OwnPidNamespace(root));
  PLECTL_ASSIGN_OR_RETURN(const VcpuLayout layout, FindVcpuLayout(root, module));
  PLECTL_RETURN_IF_ERROR(CheckArguments(layout, wanted));
  const Settings settings{root, pid_namespace, module, layout.exit_code};
  std::array hooks = {Hooks::kFentry, Hooks::kKprobe};
  if (MayPreemptItself(root)) std::ranges::reverse(hooks);
  auto programs = LoadWith(settings, hooks[0], wanted);
  return programs ? std::move(programs) : LoadWith(settings, hooks[1], wanted);
}

Status BpfPrograms::AttachOnSpin() {
  if (OnSpinLink() != nullptr) return OkStatus();
  const HostRoot root;
  const LibbpfLog log;
  OnSpinLink() = bpf_program__attach(OnSpinProgram());
  if (OnSpinLink() != nullptr) return OkStatus();
  return BpfFailure(root, "attach the BPF check observer to kvm_vcpu_on_spin()", errno, log);
}

std::optional<uint64_t> BpfPrograms::missed_returns() const {
  uint64_t missed = 0;
  for (const bpf_link* link :
       {skeleton_->links.on_yield_kretprobe, skeleton_->links.on_spin_kretprobe}) {
    if (link == nullptr) continue;
    const auto of_link = KretprobeMisses(bpf_link__fd(link));
    if (!of_link) return std::nullopt;
    missed += *of_link;
  }
  return missed;
}

Status BpfPrograms::ZeroTimes() {
  if (!wanted_.details.exit_times) return OkStatus();
  const auto zeros = std::make_unique<VcpuTimes>();
  for (uint32_t vcpu = 0; vcpu < kMaxVcpus; ++vcpu) {
    if (bpf_map__update_elem(skeleton_->maps.vcpu_times, &vcpu, sizeof(vcpu), zeros.get(),
                             sizeof(*zeros), BPF_ANY) != 0) {
      return SystemFailure("zero the times of exits in a BPF map", errno);
    }
  }
  return OkStatus();
}

Result<std::unique_ptr<VcpuTimes>> BpfPrograms::ReadTimes(uint32_t vcpu) const {
  auto times = std::make_unique<VcpuTimes>();
  if (bpf_map__lookup_elem(skeleton_->maps.vcpu_times, &vcpu, sizeof(vcpu), times.get(),
                           sizeof(*times), 0) != 0) {
    return SystemFailure("read the times of exits from a BPF map", errno);
  }
  return times;
}

void BpfPrograms::DetachOnSpin() { bpf_link__destroy(std::exchange(OnSpinLink(), nullptr)); }

}  // namespace plectl::host
