// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/vmm_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/payloads/embedded.h"

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

class UnusedObserver : public GuestObserver {
 public:
  Status OnReady(pid_t, std::span<const pid_t>) override { return Internal("called"); }
  Status OnFinished() override { return Internal("called"); }
};

std::filesystem::path WriteElf(const char* name, Bytes elf) {
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(elf.data()), static_cast<std::streamsize>(elf.size()));
  return path;
}

TEST(VmmRunner, UsesTheEmbeddedPayload) {
  const auto runner = VmmRunner::Create({});
  ASSERT_TRUE(runner) << runner.error().Text();
  EXPECT_EQ(runner->payload().payloads().front().name, "token_ring");
}

TEST(VmmRunner, UsesTheGivenPayload) {
  const auto runner = VmmRunner::Create({WriteElf("vmm_runner_hostile", HostileGuestElf())});
  ASSERT_TRUE(runner) << runner.error().Text();
  EXPECT_EQ(runner->payload().payloads().front().name, "hostile_hang");
}

TEST(VmmRunner, NamesThePayloadFileInErrors) {
  const auto path = WriteElf("vmm_runner_wrong_abi", WrongAbiGuestElf());
  const auto runner = VmmRunner::Create({path});
  ASSERT_FALSE(runner);
  EXPECT_EQ(runner.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(runner.error().message, HasSubstr(path.string()));
  const auto missing = VmmRunner::Create({"/nonexistent/payload"});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/payload"));
}

// Input before environment: this must not depend on the machine having KVM.
TEST(VmmRunner, RefusesABadWorkloadFirst) {
  auto runner = VmmRunner::Create({});
  ASSERT_TRUE(runner);
  GuestRequest request;
  request.workload.payload = "ttas";
  request.workload.vcpus = 1;
  request.workload.cpus = {0};
  UnusedObserver observer;
  const auto result = runner->Run(request, observer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace plectl::guests
