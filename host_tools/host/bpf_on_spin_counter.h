// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host_tools/host/bpf_programs.h"
#include "host_tools/host/exit_counter.h"

namespace plectl::host {

// "bpf-on-spin": the PAUSE exits by vCPU, counted by a BPF program at the entry of KVM's
// kvm_vcpu_on_spin() (bpf/exit_counter.bpf.c); "bpf-on-spin-kprobe" where that is a kprobe.

// The check of the exits by reason.
std::unique_ptr<ExitCounter> MakeBpfOnSpinCheck(std::shared_ptr<BpfPrograms> programs);

// By itself, with the window updates: all that can be known of an exit at no cost to the others.
std::unique_ptr<ExitCounter> MakeBpfPauseCounter(std::shared_ptr<BpfPrograms> programs);

}  // namespace plectl::host
