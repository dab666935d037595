// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vmm_runner.h"

#include <gtest/gtest.h>

#include "host_tools/guests/payload_source.h"

namespace plectl::guests {
namespace {

class UnusedObserver : public GuestObserver {
 public:
  Status OnReady(pid_t, std::span<const pid_t>) override { return Internal("called"); }
  Status OnFinished() override { return Internal("called"); }
};

// Input before environment: this must not depend on the machine having KVM.
TEST(VmmRunner, RefusesABadWorkloadFirst) {
  VmmRunner runner(EmbeddedPayloads().value());
  GuestRequest request;
  request.workload.payload = "ttas";
  request.workload.vcpus = 1;
  request.workload.cpus = {0};
  UnusedObserver observer;
  const auto result = runner.Run(request, observer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
}

TEST(VmmRunner, RefusesPaddingThatTheSledDoesNotHold) {
  VmmRunner runner(EmbeddedPayloads().value());
  GuestRequest request;
  request.workload.payload = "ttas";
  request.workload.cpus = {0};
  request.relax_tsc_cycles = 3;
  UnusedObserver observer;
  const auto result = runner.Run(request, observer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace plectl::guests
