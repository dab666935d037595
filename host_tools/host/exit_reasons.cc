// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/exit_reasons.h"

// The kernel's tables; asm/kvm.h has the exception vectors that the SVM one uses.
#include <asm/kvm.h>
#include <asm/svm.h>
#include <asm/vmx.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <string_view>

namespace plectl::host {
namespace {

struct ExitReason {
  int64_t code;  // SVM's "invalid guest state" is -1
  std::string_view kernel_name;
};

constexpr ExitReason kVmxReasons[] = {VMX_EXIT_REASONS};
constexpr ExitReason kSvmReasons[] = {SVM_EXIT_REASONS};

std::span<const ExitReason> ReasonsOf(KvmModule module) {
  if (module == KvmModule::kIntel) return kVmxReasons;
  return kSvmReasons;
}

char ToNameCharacter(char c) {
  if (c == ' ') return '_';
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

}  // namespace

uint32_t PauseExitCode(KvmModule module) {
  return module == KvmModule::kIntel ? EXIT_REASON_PAUSE_INSTRUCTION : SVM_EXIT_PAUSE;
}

std::string ExitReasonName(KvmModule module, uint32_t code) {
  for (const ExitReason& reason : ReasonsOf(module)) {
    if (static_cast<uint32_t>(reason.code) != code) continue;
    std::string name(reason.kernel_name);
    std::ranges::transform(name, name.begin(), ToNameCharacter);
    return name;
  }
  return fmt::format("REASON_{}", code);
}

}  // namespace plectl::host
