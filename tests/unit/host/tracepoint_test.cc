// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/tracepoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kTracing = "/sys/kernel/tracing/events/kvm/kvm_exit/id";
constexpr std::string_view kDebugTracing = "/sys/kernel/debug/tracing/events/kvm/kvm_exit/id";

class TracepointTest : public ::testing::Test {
 protected:
  std::string Error() const {
    const auto id = TracepointId(host_.root(), "kvm", "kvm_exit");
    if (id) return "no error";
    EXPECT_EQ(id.error().kind, ErrorKind::kEnvironment);
    return id.error().Text();
  }

  FakeHost host_{"no_kvm"};
};

TEST_F(TracepointTest, IsFoundInEitherPlace) {
  host_.Write(kDebugTracing, "1500\n");
  EXPECT_EQ(TracepointId(host_.root(), "kvm", "kvm_exit").value(), 1500U);
  host_.Write(kTracing, "1600\n");
  EXPECT_EQ(TracepointId(host_.root(), "kvm", "kvm_exit").value(), 1600U);
}

TEST_F(TracepointTest, TellsWhatIsMissing) {
  EXPECT_THAT(Error(), HasSubstr("mount -t tracefs"));
  host_.Write("/sys/kernel/tracing/events/kvm/kvm_entry/id", "7\n");
  EXPECT_THAT(Error(), HasSubstr("kvm:kvm_exit"));
}

TEST_F(TracepointTest, RefusesWhatIsNoNumber) {
  host_.Write(kTracing, "-1\n");
  EXPECT_THAT(Error(), HasSubstr("\"-1\" is not a number"));
}

}  // namespace
}  // namespace plectl::host
