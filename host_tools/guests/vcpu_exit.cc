// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vcpu_exit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace plectl::guests {
namespace {

struct NamedValue {
  uint32_t value;
  std::string_view name;
};

template <size_t kSize>
std::string_view FindName(const std::array<NamedValue, kSize>& names, uint32_t value) {
  const auto found = std::ranges::find(names, value, &NamedValue::value);
  return found == names.end() ? std::string_view() : found->name;
}

// linux/kvm.h.
constexpr std::array kExitReasons = {
    NamedValue{KVM_EXIT_UNKNOWN, "KVM_EXIT_UNKNOWN"},
    NamedValue{KVM_EXIT_EXCEPTION, "KVM_EXIT_EXCEPTION"},
    NamedValue{KVM_EXIT_IO, "KVM_EXIT_IO"},
    NamedValue{KVM_EXIT_HYPERCALL, "KVM_EXIT_HYPERCALL"},
    NamedValue{KVM_EXIT_DEBUG, "KVM_EXIT_DEBUG"},
    NamedValue{KVM_EXIT_HLT, "KVM_EXIT_HLT"},
    NamedValue{KVM_EXIT_MMIO, "KVM_EXIT_MMIO"},
    NamedValue{KVM_EXIT_IRQ_WINDOW_OPEN, "KVM_EXIT_IRQ_WINDOW_OPEN"},
    NamedValue{KVM_EXIT_SHUTDOWN, "KVM_EXIT_SHUTDOWN"},
    NamedValue{KVM_EXIT_FAIL_ENTRY, "KVM_EXIT_FAIL_ENTRY"},
    NamedValue{KVM_EXIT_INTR, "KVM_EXIT_INTR"},
    NamedValue{KVM_EXIT_SET_TPR, "KVM_EXIT_SET_TPR"},
    NamedValue{KVM_EXIT_TPR_ACCESS, "KVM_EXIT_TPR_ACCESS"},
    NamedValue{KVM_EXIT_NMI, "KVM_EXIT_NMI"},
    NamedValue{KVM_EXIT_INTERNAL_ERROR, "KVM_EXIT_INTERNAL_ERROR"},
    NamedValue{KVM_EXIT_SYSTEM_EVENT, "KVM_EXIT_SYSTEM_EVENT"},
    NamedValue{KVM_EXIT_IOAPIC_EOI, "KVM_EXIT_IOAPIC_EOI"},
    NamedValue{KVM_EXIT_X86_RDMSR, "KVM_EXIT_X86_RDMSR"},
    NamedValue{KVM_EXIT_X86_WRMSR, "KVM_EXIT_X86_WRMSR"},
    NamedValue{KVM_EXIT_X86_BUS_LOCK, "KVM_EXIT_X86_BUS_LOCK"},
    NamedValue{KVM_EXIT_NOTIFY, "KVM_EXIT_NOTIFY"},
};

constexpr std::array kInternalErrors = {
    NamedValue{KVM_INTERNAL_ERROR_EMULATION, "emulation failure"},
    NamedValue{KVM_INTERNAL_ERROR_SIMUL_EX, "simultaneous exceptions"},
    NamedValue{KVM_INTERNAL_ERROR_DELIVERY_EV, "exit during event delivery"},
    NamedValue{KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, "unexpected hardware exit reason"},
};

// SDM vol 3A, table 6-1.
constexpr std::array kExceptions = {
    NamedValue{0, "#DE, divide error"},
    NamedValue{1, "#DB, debug"},
    NamedValue{2, "NMI"},
    NamedValue{3, "#BP, breakpoint"},
    NamedValue{4, "#OF, overflow"},
    NamedValue{5, "#BR, bound range"},
    NamedValue{6, "#UD, invalid opcode"},
    NamedValue{7, "#NM, no FPU"},
    NamedValue{8, "#DF, double fault"},
    NamedValue{10, "#TS, invalid TSS"},
    NamedValue{11, "#NP, segment not present"},
    NamedValue{12, "#SS, stack fault"},
    NamedValue{13, "#GP, general protection"},
    NamedValue{14, "#PF, page fault"},
    NamedValue{16, "#MF, x87 error"},
    NamedValue{17, "#AC, alignment check"},
    NamedValue{18, "#MC, machine check"},
    NamedValue{19, "#XM, SIMD error"},
};

kvm_run Header(Bytes run) { return ReadObject<kvm_run>(run, 0).value_or(kvm_run{}); }

std::string DescribeIo(Bytes run, const kvm_run& header) {
  const auto& io = header.io;
  const bool write = io.direction == KVM_EXIT_IO_OUT;
  const auto byte = ReadObject<uint8_t>(run, io.data_offset);
  const std::string value = write && byte ? fmt::format(" of byte {:#x}", *byte) : "";
  return fmt::format("{}-bit {}{} at port {:#x}", io.size * 8, write ? "write" : "read", value,
                     io.port);
}

std::string DescribeMmio(const kvm_run& header) {
  return fmt::format("{}-byte {} at address {:#x}, where no memory is", header.mmio.len,
                     header.mmio.is_write != 0 ? "write" : "read", header.mmio.phys_addr);
}

std::string DescribeInternalError(const kvm_run& header) {
  const uint32_t suberror = header.internal.suberror;
  const std::string_view name = FindName(kInternalErrors, suberror);
  return fmt::format("KVM gave up, suberror {} ({})", suberror, name.empty() ? "unknown" : name);
}

std::string Particulars(Bytes run, const kvm_run& header) {
  switch (header.exit_reason) {
    case KVM_EXIT_IO:
      return DescribeIo(run, header);
    case KVM_EXIT_MMIO:
      return DescribeMmio(header);
    case KVM_EXIT_SHUTDOWN:
      return "triple fault";
    case KVM_EXIT_FAIL_ENTRY:
      return fmt::format("VM entry failed, hardware reason {:#x}",
                         header.fail_entry.hardware_entry_failure_reason);
    case KVM_EXIT_INTERNAL_ERROR:
      return DescribeInternalError(header);
    case KVM_EXIT_UNKNOWN:
      return fmt::format("unknown hardware exit reason {:#x}", header.hw.hardware_exit_reason);
    default:
      return "unexpected exit";
  }
}

std::string DescribeException(const plectl_vcpu_result& result) {
  const std::string_view name = FindName(kExceptions, result.fault_vector);
  return fmt::format("exception {} ({}) with error code {:#x} at RIP {:#x}", result.fault_vector,
                     name.empty() ? "an interrupt or reserved" : name, result.fault_error_code,
                     result.fault_rip);
}

std::string DescribeViolation(const plectl_vcpu_result& result) {
  constexpr std::string_view kWhat = "mutual exclusion failed: while it held the lock,";
  if (result.other_owner == 0) return fmt::format("{} another vCPU came and left", kWhat);
  return fmt::format("{} so did vCPU {}", kWhat, result.other_owner - 1);
}

}  // namespace

std::string ExitReasonName(uint32_t reason) {
  const std::string_view name = FindName(kExitReasons, reason);
  return name.empty() ? fmt::format("KVM exit {}", reason) : std::string(name);
}

std::string LastExitName(Bytes run) { return ExitReasonName(Header(run).exit_reason); }

std::string DescribeExit(Bytes run) {
  const kvm_run header = Header(run);
  return fmt::format("{} ({})", Particulars(run, header), ExitReasonName(header.exit_reason));
}

std::optional<uint32_t> GuestCommand(Bytes run) {
  const kvm_run header = Header(run);
  const auto& io = header.io;
  if (header.exit_reason != KVM_EXIT_IO || io.direction != KVM_EXIT_IO_OUT ||
      io.port != PLECTL_PORT || io.size != sizeof(uint32_t) || io.count != 1) {
    return std::nullopt;
  }
  return ReadObject<uint32_t>(run, io.data_offset);
}

std::string DescribeAbort(uint32_t code, const plectl_vcpu_result& result) {
  switch (code) {
    case PLECTL_ABORT_EXCEPTION:
      return DescribeException(result);
    case PLECTL_ABORT_BOOT_BLOCK:
      return "it does not understand the boot block";
    case PLECTL_ABORT_APIC_ID:
      return "its APIC ID is not that of a configured vCPU";
    case PLECTL_ABORT_CONTINUED:
      return "it was resumed after its end";
    case PLECTL_ABORT_EXCLUSION:
      return DescribeViolation(result);
    default:
      return fmt::format("unknown abort code {}", code);
  }
}

}  // namespace plectl::guests
