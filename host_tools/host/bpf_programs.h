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

// How kvm_vcpu_on_spin(), and what it calls, is watched: by programs of the function's trampoline,
// or by kprobes, which are dearer.
enum class OnSpinHook { kFentry, kKprobe };

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
  [[nodiscard]] OnSpinHook on_spin() const { return on_spin_; }
  // How many returns the kretprobes have missed so far; nothing where the kernel does not say.
  [[nodiscard]] std::optional<uint64_t> missed_returns() const;
  // Those that count for the exit counter.
  [[nodiscard]] std::vector<const bpf_program*> counting_programs() const;
  [[nodiscard]] const bpf_program* window_program() const {
    return skeleton_->progs.on_window_update;
  }
  [[nodiscard]] const bpf_program* on_spin_program() const { return OnSpinProgram(); }

 private:
  BpfPrograms(KvmModule module, OnSpinHook on_spin, BpfWanted wanted,
              SkeletonPtr<exit_counter> skeleton)
      : module_(module), on_spin_(on_spin), wanted_(wanted), skeleton_(std::move(skeleton)) {}
  struct Settings;
  static Result<std::shared_ptr<BpfPrograms>> LoadWith(const Settings& settings, OnSpinHook on_spin,
                                                       BpfWanted wanted);
  void Configure(const Settings& settings);
  void ChoosePrograms();
  [[nodiscard]] bpf_program* ExitProgram() const;
  [[nodiscard]] bpf_program* OnSpinProgram() const;
  [[nodiscard]] bpf_link*& OnSpinLink();

  KvmModule module_;
  OnSpinHook on_spin_;
  BpfWanted wanted_;
  SkeletonPtr<exit_counter> skeleton_;
};

}  // namespace plectl::host
