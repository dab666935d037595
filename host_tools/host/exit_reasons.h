// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "host_tools/host/ple_params.h"

namespace plectl::host {

// The exit code of a PAUSE exit: VMX basic exit reason 40 (SDM vol. 3, appendix C), SVM
// VMEXIT_PAUSE 0x77 (APM vol. 2, appendix C).
uint32_t PauseExitCode(KvmModule module);

// The name of a VMX basic exit reason or an SVM exit code as in the kernel's tables (uapi
// asm/vmx.h VMX_EXIT_REASONS, asm/svm.h SVM_EXIT_REASONS, which kvm:kvm_exit and perf kvm print),
// in upper case with '_' for a space, so that both vendors read alike: "PAUSE_INSTRUCTION",
// "PAUSE", "NPF", "UD_EXCP". "REASON_<decimal code>" when the tables do not have it.
std::string ExitReasonName(KvmModule module, uint32_t code);

}  // namespace plectl::host
