// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/dropping_counter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::host {
namespace {

// An observer that has seen what the test says.
class FixedCounter : public ExitCounter {
 public:
  explicit FixedCounter(ExitCounts counts) : counts_(std::move(counts)) {}
  [[nodiscard]] std::string_view name() const override { return "fixed"; }
  Status Arm(pid_t, std::span<const pid_t>) override { return OkStatus(); }
  Result<ExitCounts> Read() override { return counts_; }

 private:
  ExitCounts counts_;
};

TEST(DroppingCounter, ForgetsEveryNthPauseExitOfEachVcpuAndSaysSo) {
  ExitCounts seen;
  seen.total = 50;
  seen.pause_exits = 19;
  seen.vcpus.resize(2);
  seen.vcpus[0].pause_exits = 10;
  seen.vcpus[1].pause_exits = 9;
  const auto counter = DropEveryNth(5, std::make_unique<FixedCounter>(seen));
  const auto counts = counter->Read();
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->vcpus[0].pause_exits, 8U);
  EXPECT_EQ(counts->vcpus[1].pause_exits, 8U);
  EXPECT_EQ(counts->pause_exits.value(), 16U);
  EXPECT_EQ(counts->total.value(), 50U);
  EXPECT_EQ(counter->name(), "fixed, dropping every 5th");
}

}  // namespace
}  // namespace plectl::host
