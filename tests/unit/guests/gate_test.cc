// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace plectl::guests {
namespace {

using Milestone = Gate::Milestone;
using WaitEnd = Gate::WaitEnd;

Gate::TimePoint In(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}

// Threads that go through the gate as vCPU threads do.
class GateTest : public ::testing::Test {
 protected:
  void Start(uint32_t threads, uint32_t failing = 0) {
    gate_ = Gate::Create(threads).value();
    for (uint32_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this, fails = i < failing] {
        if (fails) return gate_->ParkForGood(Inconclusive("broken"));
        if (gate_->AwaitRelease()) ++released_;
        if (!gate_->Park(OkStatus())) return;
        ++reopened_;
        gate_->ParkForGood(OkStatus());
      });
    }
  }
  void TearDown() override {
    gate_->End();
    for (std::thread& thread : threads_) thread.join();
  }

  std::unique_ptr<Gate> gate_;
  std::vector<std::thread> threads_;
  std::atomic<int> released_ = 0;
  std::atomic<int> reopened_ = 0;
};

TEST_F(GateTest, HoldsAllUntilReleased) {
  Start(4);
  EXPECT_EQ(gate_->Wait(Milestone::kAllReady, In(10'000)), WaitEnd::kReached);
  EXPECT_EQ(released_, 0);
  EXPECT_EQ(gate_->Wait(Milestone::kAllParked, In(20)), WaitEnd::kDeadline);
  gate_->Release();
  EXPECT_EQ(gate_->Wait(Milestone::kAllParked, In(10'000)), WaitEnd::kReached);
  EXPECT_EQ(released_, 4);
  EXPECT_FALSE(gate_->failure());
}

TEST_F(GateTest, ReopensOnceForAllAndThenHoldsThem) {
  Start(3);
  EXPECT_EQ(gate_->Wait(Milestone::kAllReady, In(10'000)), WaitEnd::kReached);
  gate_->Release();
  EXPECT_EQ(gate_->Wait(Milestone::kAllParked, In(10'000)), WaitEnd::kReached);
  EXPECT_EQ(reopened_, 0);
  gate_->Reopen();
  EXPECT_EQ(gate_->Wait(Milestone::kAllParked, In(10'000)), WaitEnd::kReached);
  EXPECT_EQ(reopened_, 3);
  gate_->Stop();
  gate_->WaitAllParked();
  EXPECT_EQ(reopened_, 3);
}

TEST_F(GateTest, StopSendsNobodyOn) {
  Start(3);
  EXPECT_EQ(gate_->Wait(Milestone::kAllReady, In(10'000)), WaitEnd::kReached);
  gate_->Stop();
  gate_->WaitAllParked();
  EXPECT_TRUE(gate_->stopping());
  EXPECT_EQ(released_, 0);
}

TEST_F(GateTest, OneFailureEndsTheWait) {
  Start(3, 1);
  EXPECT_EQ(gate_->Wait(Milestone::kAllReady, In(10'000)), WaitEnd::kFailed);
  ASSERT_TRUE(gate_->failure());
  EXPECT_EQ(gate_->failure()->message, "broken");
  gate_->Stop();
  gate_->WaitAllParked();
}

}  // namespace
}  // namespace plectl::guests
