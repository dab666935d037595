// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/host/param_session.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

// A busy host and a clock that only sleeping moves.
class Await : public testing::Test {
 protected:
  WaitClock Clock() {
    return {[this] { return now_.count(); },
            [this](nanoseconds time) {
              now_ += time;
              sleeps_.push_back(time);
              on_sleep();
            }};
  }
  Status Wait(seconds patience) {
    return AwaitReloadable(host_.root(), KvmModule::kIntel, patience, Clock());
  }
  void Leave() const { host_.Write("/sys/module/kvm_intel/refcnt", "0\n"); }

  const FakeHost host_{"intel_busy"};
  nanoseconds now_ = seconds(1000);
  std::vector<nanoseconds> sleeps_;
  std::function<void()> on_sleep = [] {};
};

TEST_F(Await, KeepsToTheTimeAndNamesTheHolder) {
  for (const seconds patience : {seconds(1), seconds(3), seconds(600)}) {
    const nanoseconds start = now_;
    const Status status = Wait(patience);
    ASSERT_FALSE(status);
    EXPECT_EQ(now_ - start, patience);
    EXPECT_THAT(status.error().message, StartsWith("waited " + std::to_string(patience.count()) +
                                                   " s: kvm_intel is in use"));
    EXPECT_THAT(status.error().message, HasSubstr("4242 (qemu-system-x86"));
  }
}

TEST_F(Await, LooksOftenAtFirstAndFiveTimesASecondThen) {
  EXPECT_FALSE(Wait(seconds(10)));
  EXPECT_EQ(sleeps_.size(), 400U + 40U);
  EXPECT_EQ(sleeps_.front(), milliseconds(5));
  EXPECT_EQ(sleeps_.back(), milliseconds(200));
}

TEST_F(Await, GoesOnSoonAfterTheLastUserHasLeft) {
  const nanoseconds leaves = now_ + seconds(7) + milliseconds(3);
  on_sleep = [&] {
    if (now_ >= leaves) Leave();
  };
  EXPECT_TRUE(Wait(seconds(600)));
  EXPECT_LE(now_ - leaves, milliseconds(200));
}

TEST_F(Await, DoesNotSleepWhenNobodyUsesIt) {
  Leave();
  EXPECT_TRUE(Wait(seconds(600)));
  EXPECT_TRUE(sleeps_.empty());
}

TEST_F(Await, DoesNotWaitForAModuleThatIsBuiltIn) {
  const FakeHost built_in("intel_built_in");
  const Status status = AwaitReloadable(built_in.root(), KvmModule::kIntel, seconds(600), Clock());
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("built into this kernel"));
  EXPECT_TRUE(sleeps_.empty());
}

// A sweep's session: each of its reloads waits.
TEST(ParamSession, WaitsForOthersBeforeEachReload) {
  const FakeHost host("intel_ple");
  ParamSession session = ParamSession::Begin(host.root(), KvmModule::kIntel,
                                             std::make_unique<FakeLoader>(host, KvmModule::kIntel))
                             .value();
  session.WaitForOthers(seconds(1));
  ASSERT_TRUE(session.Apply({{"ple_window", "8192"}}));
  host.Write("/sys/module/kvm_intel/refcnt", "1\n");
  const auto refused = session.Apply({{"ple_window", "1024"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, StartsWith("waited 1 s: "));
  const Status kept = session.Restore();
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().message, StartsWith("waited 1 s: "));
  host.Write("/sys/module/kvm_intel/refcnt", "0\n");
  EXPECT_TRUE(session.Restore());
}

}  // namespace
}  // namespace plectl::host
