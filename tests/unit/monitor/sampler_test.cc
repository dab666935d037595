// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/monitor/fake_vms.h"

namespace plectl::monitor {
namespace {

constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

class SamplerTest : public testing::Test {
 protected:
  SamplerTest() : kernel_(vms_.Kernel()) { Make({}); }
  void Make(const SamplerOptions& options) {
    sampler_ = std::make_unique<Sampler>(vms_.root(), options);
    sampler_->SetPauseSlot(vms_.pause_slot);
  }
  bool Update(int64_t deadline_ns = kNoDeadline) {
    return sampler_->Update(*kernel_, deadline_ns).value();
  }
  [[nodiscard]] const VmRecord& Vm(pid_t pid) const { return sampler_->table().records().at(pid); }
  [[nodiscard]] uint64_t Pauses(pid_t pid) const {
    return Vm(pid).live.exits[vms_.pause_slot] + Vm(pid).ended.exits[vms_.pause_slot];
  }
  [[nodiscard]] std::vector<std::string> Labels() const {
    std::vector<std::string> labels;
    for (const auto& [pid, vm] : sampler_->table().records()) labels.push_back(vm.label);
    return labels;
  }

  FakeVms vms_;
  std::unique_ptr<KernelCounts> kernel_;
  std::unique_ptr<Sampler> sampler_;
};

TEST_F(SamplerTest, SumsByVmAndVcpu) {
  vms_.Start(100, "a", 2);
  vms_.Start(200, "b", 1);
  vms_.Thread(101).pauses = 3;
  vms_.Thread(102).pauses = 4;
  vms_.Thread(201).pauses = 50;
  EXPECT_TRUE(Update());
  EXPECT_EQ(Pauses(100), 7U);
  EXPECT_EQ(Pauses(200), 50U);
  ASSERT_EQ(Vm(100).vcpus.size(), 2U);
  EXPECT_EQ(Vm(100).vcpus[1].all.pause_exits, 4U);
  EXPECT_EQ(sampler_->vcpus(), 3U);
  EXPECT_TRUE(Update());
  EXPECT_EQ(Pauses(100), 7U) << "not added again";
}

TEST_F(SamplerTest, CountsClocksFromTheFirstExitThatWasSeen) {
  vms_.Start(100, "a", 1);
  vms_.Thread(101).first = {.run_delay_ns = 10, .user_ns = 100, .system_ns = 1000, .guest_ns = 40};
  vms_.Thread(101).last = {.run_delay_ns = 17, .user_ns = 150, .system_ns = 1003, .guest_ns = 70};
  Update();
  const VcpuClocks& clocks = Vm(100).vcpus[0].all.clocks;
  EXPECT_EQ(clocks.user_ns, 20U) << "without the guest's";
  EXPECT_EQ(clocks.guest_ns, 30U);
  EXPECT_EQ(clocks.system_ns, 3U);
  EXPECT_EQ(clocks.run_delay_ns, 7U);
}

TEST_F(SamplerTest, HasNoRunDelayWhereTheKernelHasNone) {
  vms_.has_run_delay = false;
  vms_.Start(100, "a", 1);
  Update();
  EXPECT_EQ(Vm(100).vcpus[0].all.clocks.run_delay_ns, std::nullopt);
}

// One thread runs vCPU 0 and 1 in turn: their counts are apart, and both end with the thread.
TEST_F(SamplerTest, KnowsTheVcpusOfAThreadThatRunsSeveral) {
  vms_.Start(100, "a", 1);
  vms_.has_run_delay = false;  // as the probes do with such a thread
  vms_.Thread(101).pauses = 100;
  FakeThread other = vms_.Thread(101);
  other.vcpu = 1;
  other.other_vcpu = 0xffff888000001000;
  other.pauses = 300;
  vms_.threads[other.key()] = other;
  Update();
  ASSERT_EQ(Vm(100).vcpus.size(), 2U);
  EXPECT_EQ(Vm(100).vcpus[0].all.pause_exits, 100U);
  EXPECT_EQ(Vm(100).vcpus[1].all.pause_exits, 300U);
  EXPECT_EQ(Vm(100).vcpus[1].all.clocks.run_delay_ns, std::nullopt);
  vms_.threads[{.thread = other.key().thread}].ended = true;
  Update();
  EXPECT_TRUE(vms_.threads.empty()) << "both were forgotten";
  Update();
  EXPECT_EQ(Vm(100).vcpus[1].all.pause_exits, 300U);
}

TEST_F(SamplerTest, ForgetsAVmThatEndedHereAndInTheKernel) {
  vms_.Start(100, "a", 4);
  vms_.Start(200, "b", 1);
  Update();
  vms_.End(100);
  Update();
  EXPECT_THAT(Labels(), testing::ElementsAre("b"));
  EXPECT_EQ(vms_.threads.size(), 1U);
}

TEST_F(SamplerTest, KeepsTheCountsOfAThreadThatEnded) {
  for (const bool noticed : {true, false}) {
    vms_.Start(100, "a", 2);
    vms_.Thread(101).pauses = 3;
    vms_.Thread(102).pauses = 4;
    vms_.Thread(101).last.system_ns = 5;
    Make({});
    Update();
    vms_.EndThread(101, noticed);
    Update();
    EXPECT_EQ(vms_.threads.size(), 1U) << "forgotten in the kernel";
    vms_.AddThread(100, 105, 0, 5000).pauses = 30;  // runs the same vCPU
    Update();
    EXPECT_EQ(Pauses(100), 37U);
    ASSERT_EQ(Vm(100).vcpus.size(), 2U);
    EXPECT_EQ(Vm(100).vcpus[0].all.pause_exits, 33U);
    EXPECT_EQ(Vm(100).vcpus[0].all.clocks.system_ns, 5U);
    vms_.End(100);
    vms_.threads.clear();
  }
}

TEST_F(SamplerTest, ReadsOnceMoreWhatAnEndedThreadHadCounted) {
  vms_.Start(100, "a", 1);
  vms_.Thread(101).pauses = 3;
  vms_.EndThread(101, false);
  vms_.before_visit = [this](const FakeThread& thread) { vms_.threads[thread.key()].pauses = 8; };
  Update();
  EXPECT_EQ(Pauses(100), 8U);
}

TEST_F(SamplerTest, TakesAProcessIdThatIsUsedAgainForAnotherVm) {
  vms_.Start(100, "a", 1, 1000);
  vms_.Thread(101).pauses = 3;
  Update();
  vms_.End(100);
  vms_.Start(100, "b", 1, 2000);
  vms_.Thread(101).pauses = 3;  // one of the two; the old one's are forgotten anyhow
  Update();
  EXPECT_THAT(Labels(), testing::ElementsAre("b"));
  EXPECT_LE(Pauses(100), 3U);
  EXPECT_EQ(vms_.threads.size(), 1U);
  EXPECT_EQ(vms_.threads.begin()->second.start_ticks, 2001U);
}

TEST_F(SamplerTest, GivesVmsOfOneNameDistinctLabels) {
  vms_.Start(100, "web", 1);
  vms_.Start(200, "web", 1);
  vms_.Start(300, "", 1);
  Update();
  EXPECT_THAT(Labels(), testing::ElementsAre("web", "web@200", "qemu-system-x86-300"));
  vms_.End(100);
  vms_.Start(400, "web", 1);
  Update();
  EXPECT_THAT(Labels(), testing::ElementsAre("web@200", "qemu-system-x86-300", "web"))
      << "a VM's own label never changes";
}

TEST_F(SamplerTest, ReadsNamesAgainWhenAsked) {
  vms_.Start(100, "old", 1);
  Update();
  vms_.Write("/run/libvirt/qemu/new.pid", "100\n");
  Update();
  EXPECT_THAT(Labels(), testing::ElementsAre("old"));
  sampler_->table().RereadNames();
  EXPECT_THAT(Labels(), testing::ElementsAre("new"));
  EXPECT_EQ(Vm(100).name_source, "libvirt");
}

TEST_F(SamplerTest, HasNoMoreVmsThanItMayAndCountsEachOnce) {
  Make({.vms_max = 2, .vcpus_max = 100, .per_vcpu_reasons = false});
  for (const pid_t pid : {100, 200, 300, 400}) vms_.Start(pid, "vm", 2);
  Update();
  Update();
  EXPECT_EQ(sampler_->table().records().size(), 2U);
  EXPECT_EQ(sampler_->table().dropped(), 2U);
  vms_.End(100);
  Update();
  EXPECT_EQ(sampler_->table().records().size(), 2U) << "the next one has found room";
}

TEST_F(SamplerTest, CountsAVcpuWithoutRoomInItsVm) {
  Make({.vms_max = 10, .vcpus_max = 3, .per_vcpu_reasons = false});
  vms_.Start(100, "a", 5);
  for (pid_t tid = 101; tid <= 105; ++tid) vms_.Thread(tid).pauses = 1;
  Update();
  EXPECT_EQ(sampler_->vcpus(), 3U);
  EXPECT_EQ(sampler_->dropped_vcpus(), 2U);
  EXPECT_EQ(Pauses(100), 5U);
  vms_.EndThread(105, true);
  Update();
  EXPECT_EQ(sampler_->dropped_vcpus(), 1U);
  EXPECT_EQ(Pauses(100), 5U);
}

TEST_F(SamplerTest, KnowsNoCountsWhenTheKernelGaveNone) {
  vms_.Start(100, "a", 1);
  vms_.Thread(101).pauses = 3;
  Update();
  vms_.next_read = Environment("no");
  EXPECT_FALSE(sampler_->Update(*kernel_, kNoDeadline));
  EXPECT_FALSE(sampler_->counts_known());
  Update();
  EXPECT_TRUE(sampler_->counts_known());
  EXPECT_EQ(Pauses(100), 3U);
}

TEST_F(SamplerTest, GoesOnCountingKnownVmsBehindTheDeadline) {
  vms_.Start(100, "a", 1);
  Update();
  vms_.Start(200, "b", 1);
  vms_.Thread(101).pauses = 9;
  EXPECT_FALSE(Update(0));
  EXPECT_EQ(Pauses(100), 9U);
  EXPECT_THAT(Labels(), testing::ElementsAre("a")) << "the other one is seen later";
  EXPECT_TRUE(Update());
  EXPECT_THAT(Labels(), testing::ElementsAre("a", "b"));
}

TEST_F(SamplerTest, GoesOnFromWhatItHadWhenProbesComeBack) {
  vms_.Start(100, "a", 1);
  vms_.Thread(101).pauses = 5;
  vms_.Thread(101).last.run_delay_ns = 50;
  sampler_->Fold(*kernel_);
  EXPECT_TRUE(sampler_->UpdateWithoutCounts(kNoDeadline));
  EXPECT_EQ(Pauses(100), 5U);
  EXPECT_EQ(Vm(100).vcpus[0].all.pause_exits, 5U);
  vms_.Thread(101).pauses = 2;  // counted anew
  vms_.Thread(101).first.run_delay_ns = 60;
  vms_.Thread(101).last.run_delay_ns = 63;
  Update();
  EXPECT_EQ(Pauses(100), 7U);
  EXPECT_EQ(Vm(100).vcpus[0].all.clocks.run_delay_ns, 53U);
}

TEST_F(SamplerTest, FindsVmsByTheirOpenFiles) {
  vms_.Start(100, "idle", 0);
  std::filesystem::create_directories(vms_.root().Path("/proc/100/fd"));
  std::filesystem::create_symlink("anon_inode:kvm-vm", vms_.root().Path("/proc/100/fd/9"));
  vms_.Start(200, "no VM", 0);
  std::filesystem::create_directories(vms_.root().Path("/proc/200/fd"));
  std::filesystem::create_symlink("/dev/kvm", vms_.root().Path("/proc/200/fd/9"));
  sampler_->ScanOpenFiles();
  EXPECT_THAT(Labels(), testing::ElementsAre("idle"));
  EXPECT_FALSE(Vm(100).is_counted);
}

TEST_F(SamplerTest, KeepsNothingOfVmsThatCameAndWent) {
  pid_t pid = 1000;
  for (int i = 0; i < 200; ++i, pid += 10) {
    vms_.Start(pid, "same", 3, static_cast<uint64_t>(pid));
    if (i >= 3) vms_.End(pid - 30);
    Update();
  }
  EXPECT_EQ(sampler_->table().records().size(), 3U);
  EXPECT_EQ(sampler_->vcpus(), 9U);
  EXPECT_EQ(vms_.threads.size(), 9U);
}

TEST_F(SamplerTest, AsksProcInTurnAboutEndsThatTheKernelMissed) {
  constexpr pid_t kVms = 70;
  for (pid_t i = 0; i < kVms; ++i) vms_.Start(1000 + i * 10, "vm", 8);
  Update();
  for (pid_t i = 0; i < kVms; ++i) vms_.EndThread(1001 + i * 10, false);
  for (int round = 0; round < 4; ++round) Update();
  EXPECT_EQ(vms_.threads.size(), 7U * kVms);
}

}  // namespace
}  // namespace plectl::monitor
