// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vcpu_exit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

// A kvm_run area as KVM maps it: the struct and a page for I/O data.
class RunArea {
 public:
  RunArea() : bytes_(sizeof(kvm_run) + 4096) {}
  explicit RunArea(uint32_t reason) : RunArea() { run.exit_reason = reason; }

  static RunArea Out(uint16_t port, uint32_t value) {
    RunArea area(KVM_EXIT_IO);
    area.run.io.direction = KVM_EXIT_IO_OUT;
    area.run.io.size = 4;
    area.run.io.port = port;
    area.run.io.count = 1;
    area.run.io.data_offset = sizeof(kvm_run);
    std::memcpy(area.bytes_.data() + sizeof(kvm_run), &value, sizeof value);
    return area;
  }
  Bytes Get() {
    std::memcpy(bytes_.data(), &run, sizeof run);
    return bytes_;
  }

  kvm_run run{};

 private:
  std::vector<uint8_t> bytes_;
};

TEST(GuestCommand, IsWhatTheGuestWroteToTheControlPort) {
  EXPECT_EQ(GuestCommand(RunArea::Out(PLECTL_PORT, PLECTL_COMMAND_SYNC).Get()), 1U);
  EXPECT_EQ(GuestCommand(RunArea::Out(PLECTL_PORT, 0x103).Get()), 0x103U);
}

TEST(GuestCommand, IsNothingForAnyOtherExit) {
  EXPECT_FALSE(GuestCommand(RunArea(KVM_EXIT_SHUTDOWN).Get()));
  EXPECT_FALSE(GuestCommand(RunArea::Out(0x80, 1).Get()));
  RunArea area = RunArea::Out(PLECTL_PORT, 1);
  area.run.io.size = 1;
  EXPECT_FALSE(GuestCommand(area.Get()));
  area = RunArea::Out(PLECTL_PORT, 1);
  area.run.io.direction = KVM_EXIT_IO_IN;
  EXPECT_FALSE(GuestCommand(area.Get()));
  area = RunArea::Out(PLECTL_PORT, 1);
  area.run.io.data_offset = ~uint64_t{0};
  EXPECT_FALSE(GuestCommand(area.Get()));
  EXPECT_FALSE(GuestCommand({}));
}

TEST(LastExitName, NamesTheReasonOrGivesItsNumber) {
  EXPECT_EQ(LastExitName(RunArea(KVM_EXIT_INTR).Get()), "KVM_EXIT_INTR");
  EXPECT_EQ(LastExitName(RunArea(99).Get()), "KVM exit 99");
}

TEST(DescribeExit, NamesReasonAndParticulars) {
  EXPECT_EQ(DescribeExit(RunArea(KVM_EXIT_SHUTDOWN).Get()), "triple fault (KVM_EXIT_SHUTDOWN)");
  EXPECT_EQ(DescribeExit(RunArea::Out(0x1234, 0x5a).Get()),
            "32-bit write of byte 0x5a at port 0x1234 (KVM_EXIT_IO)");
  RunArea mmio(KVM_EXIT_MMIO);
  mmio.run.mmio.phys_addr = 0xd0000000;
  mmio.run.mmio.len = 8;
  EXPECT_EQ(DescribeExit(mmio.Get()),
            "8-byte read at address 0xd0000000, where no memory is (KVM_EXIT_MMIO)");
  RunArea entry(KVM_EXIT_FAIL_ENTRY);
  entry.run.fail_entry.hardware_entry_failure_reason = 0x80000021;
  EXPECT_THAT(DescribeExit(entry.Get()), HasSubstr("hardware reason 0x80000021"));
  RunArea internal(KVM_EXIT_INTERNAL_ERROR);
  internal.run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
  EXPECT_EQ(DescribeExit(internal.Get()),
            "KVM gave up, suberror 1 (emulation failure) (KVM_EXIT_INTERNAL_ERROR)");
  internal.run.internal.suberror = 77;
  EXPECT_THAT(DescribeExit(internal.Get()), HasSubstr("suberror 77 (unknown)"));
}

TEST(DescribeExit, GivesTheNumberOfAnUnknownReason) {
  EXPECT_EQ(DescribeExit(RunArea(999).Get()), "unexpected exit (KVM exit 999)");
  EXPECT_EQ(ExitReasonName(KVM_EXIT_HLT), "KVM_EXIT_HLT");
}

TEST(DescribeAbort, NamesTheException) {
  plectl_vcpu_result result{};
  result.fault_vector = 13;
  result.fault_error_code = 0x18;
  result.fault_rip = 0x100123;
  EXPECT_EQ(DescribeAbort(PLECTL_ABORT_EXCEPTION, result),
            "exception 13 (#GP, general protection) with error code 0x18 at RIP 0x100123");
  result.fault_vector = 200;
  EXPECT_THAT(DescribeAbort(PLECTL_ABORT_EXCEPTION, result), HasSubstr("exception 200 ("));
}

TEST(DescribeAbort, ExplainsEveryCode) {
  EXPECT_THAT(DescribeAbort(PLECTL_ABORT_BOOT_BLOCK, {}), HasSubstr("boot block"));
  EXPECT_THAT(DescribeAbort(PLECTL_ABORT_APIC_ID, {}), HasSubstr("APIC ID"));
  EXPECT_THAT(DescribeAbort(PLECTL_ABORT_CONTINUED, {}), HasSubstr("resumed"));
  plectl_vcpu_result result{};
  EXPECT_THAT(DescribeAbort(PLECTL_ABORT_EXCLUSION, result), HasSubstr("came and left"));
  result.other_owner = 3;
  EXPECT_THAT(DescribeAbort(PLECTL_ABORT_EXCLUSION, result), HasSubstr("so did vCPU 2"));
  EXPECT_THAT(DescribeAbort(12345, {}), HasSubstr("unknown abort code 12345"));
}

}  // namespace
}  // namespace plectl::guests
