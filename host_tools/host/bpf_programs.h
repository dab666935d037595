// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/host/bpf/exit_counter.skel.h"
#include "host_tools/host/bpf_support.h"
#include "host_tools/host/observer_details.h"
#include "host_tools/host/ple_params.h"

namespace plectl::host {

// How code that KVM runs with preemption on is watched, kvm_vcpu_on_spin() and its changes of the
// window: by programs of a function's trampoline and raw tracepoints, or by kprobes and perf's
// tracepoints, which are dearer and turn preemption off.
enum class Hooks { kFentry, kKprobe };

// Which programs are attached from the beginning: each costs the exits that it sees, also while no
// vCPU is armed. The window updates are always watched, which costs nothing until a window changes.
struct BpfWanted {
  bool exits = true;     // kvm_exit
  bool on_spin = false;  // kvm_vcpu_on_spin(); AttachOnSpin() can do it later
  ObserverDetails details = {};
};

// The programs of bpf/exit_counter.bpf.c. One object for both BPF counters: libbpf reads all type
// information of the kernel for each object, which takes longer than everything else.
class BpfPrograms {
 public:
  // Loads and attaches them; `module` must be loaded now, and may be reloaded later. By kprobes
  // where the kernel may preempt itself (preemption.h), else by fentry; by the other where the
  // kernel does not have that. Environment error when this kernel or user may not.
  static Result<std::shared_ptr<BpfPrograms>> Load(const HostRoot& root, KvmModule module,
                                                   BpfWanted wanted);

  // Both are safe to call twice. A detached program costs nothing.
  Status AttachOnSpin();
  void DetachOnSpin();

  // What the programs share with us.
  [[nodiscard]] ArmedVcpus& armed() { return skeleton_->bss->armed; }
  [[nodiscard]] std::span<VcpuRow, kMaxVcpus> rows() { return skeleton_->bss->rows; }
  [[nodiscard]] std::span<WindowLog, kMaxVcpus> window_logs() {
    return skeleton_->bss->window_logs;
  }
  [[nodiscard]] std::span<VcpuDetail, kMaxVcpus> details() { return skeleton_->bss->details; }
  // Of wanted().details.exit_times; nothing to do without.
  Status ZeroTimes();
  [[nodiscard]] Result<std::unique_ptr<VcpuTimes>> ReadTimes(uint32_t vcpu) const;

  [[nodiscard]] const BpfWanted& wanted() const { return wanted_; }
  [[nodiscard]] Hooks hooks() const { return hooks_; }
  // How many returns the kretprobes have missed so far; nothing where the kernel does not say.
  [[nodiscard]] std::optional<uint64_t> missed_returns() const;
  // Those that count for the exit counter.
  [[nodiscard]] std::vector<const bpf_program*> counting_programs() const;
  [[nodiscard]] const bpf_program* window_program() const;
  [[nodiscard]] const bpf_program* on_spin_program() const { return OnSpinProgram(); }

 private:
  BpfPrograms(KvmModule module, Hooks hooks, BpfWanted wanted, SkeletonPtr<exit_counter> skeleton)
      : module_(module), hooks_(hooks), wanted_(wanted), skeleton_(std::move(skeleton)) {}
  struct Settings;
  static Result<std::shared_ptr<BpfPrograms>> LoadWith(const Settings& settings, Hooks hooks,
                                                       BpfWanted wanted);
  void Configure(const Settings& settings);
  void ChoosePrograms();
  [[nodiscard]] bpf_program* ExitProgram() const;
  [[nodiscard]] bpf_program* OnSpinProgram() const;
  [[nodiscard]] bpf_link*& OnSpinLink();

  KvmModule module_;
  Hooks hooks_;
  BpfWanted wanted_;
  SkeletonPtr<exit_counter> skeleton_;
};

}  // namespace plectl::host
