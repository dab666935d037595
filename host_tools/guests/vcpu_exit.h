// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <optional>
#include <string>

#include "guest_workloads/abi/abi.h"
#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// Pure functions over a vCPU's kvm_run area after KVM_RUN has returned.

// "KVM_EXIT_SHUTDOWN", or "KVM exit 99" for one this program does not know.
std::string ExitReasonName(uint32_t reason);

// The name of why KVM_RUN last returned; KVM_EXIT_INTR when a signal ended it.
std::string LastExitName(Bytes run);

// What the exit means and its particulars, for a user: "triple fault (KVM_EXIT_SHUTDOWN)",
// "32-bit write of 0x1 to port 0x1234 (KVM_EXIT_IO)".
std::string DescribeExit(Bytes run);

// What the guest wrote to PLECTL_PORT, when the exit is that.
std::optional<uint32_t> GuestCommand(Bytes run);

// Why the guest gave up, from the abort code and its own result: "exception 6 (#UD, invalid opcode)
// at RIP 0x100123". `result` comes from the guest and is only printed.
std::string DescribeAbort(uint32_t code, const plectl_vcpu_result& result);

}  // namespace plectl::guests
