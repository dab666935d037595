// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/bpf_programs.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <utility>

#include "host_tools/host/kvm_btf.h"

namespace plectl::host {
namespace {

using Skeleton = SkeletonPtr<exit_counter>;

struct Settings {
  PidNamespace pid_namespace;
  KvmModule module;
  ExitCodeLocation exit_code;
};

void Configure(const Settings& settings, OnSpinHook on_spin, exit_counter& skeleton) {
  skeleton.rodata->pid_namespace_dev = settings.pid_namespace.dev;
  skeleton.rodata->pid_namespace_inode = settings.pid_namespace.inode;
  skeleton.rodata->is_svm = settings.module == KvmModule::kAmd ? 1 : 0;
  skeleton.rodata->vmcb_offset = settings.exit_code.vmcb_offset;
  skeleton.rodata->exit_code_offset = settings.exit_code.exit_code_offset;
  bpf_program__set_autoload(skeleton.progs.on_spin_fentry, on_spin == OnSpinHook::kFentry);
  bpf_program__set_autoload(skeleton.progs.on_spin_kprobe, on_spin == OnSpinHook::kKprobe);
}

Result<std::shared_ptr<BpfPrograms>> LoadWith(const Settings& settings, OnSpinHook on_spin) {
  const LibbpfLog log;
  Skeleton skeleton(exit_counter::open());
  if (skeleton == nullptr) return BpfFailure("open the BPF exit counters", errno, log);
  Configure(settings, on_spin, *skeleton);
  if (const int error = exit_counter::load(skeleton.get()); error != 0) {
    return BpfFailure("load the BPF exit counters", -error, log);
  }
  if (const int error = exit_counter::attach(skeleton.get()); error != 0) {
    return BpfFailure("attach the BPF exit counters to KVM", -error, log);
  }
  auto programs = std::make_shared<BpfPrograms>();
  programs->skeleton = std::move(skeleton);
  programs->on_spin = on_spin;
  return programs;
}

}  // namespace

Result<std::shared_ptr<BpfPrograms>> LoadBpfPrograms(const HostRoot& root, KvmModule module) {
  PLECTL_ASSIGN_OR_RETURN(const PidNamespace pid_namespace, OwnPidNamespace(root));
  PLECTL_ASSIGN_OR_RETURN(const ExitCodeLocation exit_code, FindExitCode(root, module));
  const Settings settings{pid_namespace, module, exit_code};
  auto programs = LoadWith(settings, OnSpinHook::kFentry);
  return programs ? std::move(programs) : LoadWith(settings, OnSpinHook::kKprobe);
}

}  // namespace plectl::host
