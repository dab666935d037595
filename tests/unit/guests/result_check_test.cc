// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/result_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

class CheckResultBlockTest : public ::testing::Test {
 protected:
  CheckResultBlockTest() {
    workload_.vcpus = 2;
    workload_.iterations = 10;
    block_->magic = PLECTL_RESULT_MAGIC;
    block_->version = PLECTL_ABI_VERSION;
    block_->size = sizeof(plectl_result_block);
    block_->protected_counter = 20;
    for (int i = 0; i < 2; ++i) {
      plectl_vcpu_result& vcpu = block_->vcpus[i];
      vcpu.state = PLECTL_VCPU_DONE;
      vcpu.acquisitions = 10;
      vcpu.spins = 30;
      vcpu.contended = 4;
      vcpu.tsc_start = 1000;
      vcpu.tsc_end = 2000;
      vcpu.wait_tsc_cycles_total = 499;
      vcpu.wait_tsc_cycles_max = 400;
      vcpu.extra[0] = 77;
      // Nine of 11 cycles, one of 384 to 399 or 400 to 415.
      histograms_[static_cast<size_t>(i)].counts[11] = 9;
      histograms_[static_cast<size_t>(i)].counts[WaitBucketOf(400)] = 1;
    }
  }
  std::string Error() {
    const auto vcpus = CheckResultBlock(*block_, histograms_, payload_, workload_);
    if (vcpus) return "no error";
    EXPECT_EQ(vcpus.error().kind, ErrorKind::kInconclusive);
    return vcpus.error().message;
  }

  static PayloadInfo Lock() {
    PayloadInfo payload;
    payload.name = "p";
    payload.is_lock = payload.has_rounds = true;
    payload.extra_names = {"something"};
    return payload;
  }

  PayloadInfo payload_ = Lock();
  Workload workload_;
  std::vector<plectl_wait_histogram> histograms_ = std::vector<plectl_wait_histogram>(2);
  std::unique_ptr<plectl_result_block> block_ = std::make_unique<plectl_result_block>();
};

TEST_F(CheckResultBlockTest, TranslatesAGoodResult) {
  const auto vcpus = CheckResultBlock(*block_, histograms_, payload_, workload_);
  ASSERT_TRUE(vcpus) << vcpus.error().Text();
  ASSERT_EQ(vcpus->size(), 2U);
  const VcpuResult& vcpu = vcpus->front();
  EXPECT_EQ(vcpu.acquisitions, 10U);
  EXPECT_EQ(vcpu.spins, 30U);
  EXPECT_EQ(vcpu.contended, 4U);
  EXPECT_EQ(vcpu.tsc_start, 1000U);
  EXPECT_EQ(vcpu.tsc_end, 2000U);
  EXPECT_EQ(vcpu.wait_tsc_cycles_total, 499U);
  EXPECT_EQ(vcpu.wait_tsc_cycles_max, 400U);
  EXPECT_THAT(vcpu.wait_histogram, ::testing::ElementsAre(WaitCount{11, 9}, WaitCount{400, 1}));
  EXPECT_THAT(vcpu.extra, ::testing::ElementsAre(::testing::Pair("something", 77U)));
}

TEST_F(CheckResultBlockTest, NamesTheFieldAndItsValue) {
  block_->magic = 5;
  EXPECT_THAT(Error(), HasSubstr("magic is 5"));
  block_->magic = PLECTL_RESULT_MAGIC;
  block_->version = 9;
  EXPECT_THAT(Error(), HasSubstr("version is 9, expected 4"));
  block_->version = PLECTL_ABI_VERSION;
  block_->size = 1;
  EXPECT_THAT(Error(), HasSubstr("size is 1"));
  block_->size = sizeof(plectl_result_block);
  block_->protected_counter = 19;
  EXPECT_THAT(Error(), HasSubstr("protected_counter is 19, expected 20"));
}

TEST_F(CheckResultBlockTest, ChecksEveryVcpuField) {
  struct Case {
    uint64_t plectl_vcpu_result::*field;
    uint64_t value;
    const char* message;
  };
  const std::vector<Case> cases = {
      {&plectl_vcpu_result::acquisitions, 11, "vCPU 1: .* acquisitions is 11, expected 10"},
      {&plectl_vcpu_result::tsc_start, 2001, "vCPU 1: .* tsc_start is 2001"},
      {&plectl_vcpu_result::spins, 256'001, "vCPU 1: .* spins is 256001, expected at most 256000"},
      {&plectl_vcpu_result::contended, 11, "vCPU 1: .* contended is 11, expected at most 10"},
      {&plectl_vcpu_result::wait_tsc_cycles_total, 1001, "wait_tsc_cycles_total is 1001"},
      {&plectl_vcpu_result::wait_tsc_cycles_max, 500, "wait_tsc_cycles_max is 500"},
  };
  for (const Case& test : cases) {
    uint64_t& field = block_->vcpus[1].*test.field;
    const uint64_t good = field;
    field = test.value;
    EXPECT_THAT(Error(), ::testing::ContainsRegex(test.message));
    field = good;
  }
  block_->vcpus[0].state = PLECTL_VCPU_RUNNING;
  EXPECT_THAT(Error(), HasSubstr("vCPU 0"));
  EXPECT_THAT(Error(), HasSubstr("state is 1, expected 2"));
}

// Recorded on an EPYC 9B45 (Zen 5, TSC of 2.6 GHz): 2080 NOPs' sites of a loop in 1412 cycles.
TEST_F(CheckResultBlockTest, TakesMoreSpinsThanTscCycles) {
  payload_.is_lock = payload_.has_rounds = false;
  payload_.is_spinner = true;
  for (plectl_vcpu_result& vcpu : block_->vcpus) {
    vcpu.spins = 2080;
    vcpu.tsc_end = vcpu.tsc_start + 1412;
  }
  EXPECT_EQ(Error(), "no error");
  // A TSC that counts in steps may stand still for a few of them.
  block_->vcpus[0].tsc_end = block_->vcpus[0].tsc_start;
  block_->vcpus[0].wait_tsc_cycles_total = block_->vcpus[0].wait_tsc_cycles_max = 0;
  EXPECT_EQ(Error(), "no error");
  // No elapsed time is so long that the bound overflows.
  block_->vcpus[0].tsc_start = 0;
  block_->vcpus[0].tsc_end = UINT64_MAX;
  block_->vcpus[0].spins = UINT64_MAX;
  EXPECT_THAT(Error(), HasSubstr("spins is 18446744073709551615, expected at most"));
}

TEST_F(CheckResultBlockTest, AsksOnlyWhatThePayloadPromises) {
  payload_.is_lock = payload_.has_rounds = false;
  block_->protected_counter = 0;
  block_->vcpus[0].acquisitions = 0;
  EXPECT_EQ(Error(), "no error");
  payload_.is_spinner = true;
  EXPECT_EQ(Error(), "no error");
  block_->vcpus[0].spins = 9;
  EXPECT_THAT(Error(), HasSubstr("spins is 9, expected at least 10"));
}

TEST_F(CheckResultBlockTest, RoundsWithoutALockAreCountedAndExcludeNothing) {
  payload_.is_lock = false;
  block_->protected_counter = 0;
  EXPECT_EQ(Error(), "no error");
  block_->vcpus[1].acquisitions = 9;
  EXPECT_THAT(Error(), HasSubstr("acquisitions is 9, expected 10"));
}

TEST_F(CheckResultBlockTest, ALockIsLeftFree) {
  block_->owner = 2;
  EXPECT_THAT(Error(), HasSubstr("owner is 2, expected 0"));
}

TEST_F(CheckResultBlockTest, ADurationLeavesTheSumsToTheGuest) {
  workload_.iterations = 0;
  workload_.duration_tsc_cycles = 1000;
  EXPECT_EQ(Error(), "no error");
  block_->protected_counter = 21;
  EXPECT_THAT(Error(), HasSubstr("protected_counter is 21, expected 20"));
  block_->vcpus[0].acquisitions = 0;
  EXPECT_THAT(Error(), HasSubstr("acquisitions is 0, expected at least 1"));
  block_->vcpus[0].acquisitions = UINT64_MAX;
  EXPECT_THAT(Error(), HasSubstr("expected at most 1000000000000000"));
}

TEST_F(CheckResultBlockTest, HistogramsMustFitTheOtherFields) {
  auto& counts = histograms_[1].counts;
  counts[11] = 8;
  EXPECT_THAT(Error(), HasSubstr("vCPU 1: the guest's result block makes no sense: the sum of "
                                 "wait_histogram is 9, expected 10"));
  counts[11] = UINT64_MAX;
  EXPECT_THAT(Error(), HasSubstr("the sum of wait_histogram is 18446744073709551615"));
  counts[11] = 8;
  counts[12] = 1;
  EXPECT_THAT(Error(), HasSubstr("wait_tsc_cycles_total of these waits is 499, expected at least"));
  counts[12] = 0;
  counts[9] = 1;
  counts[11] = 8;
  EXPECT_EQ(Error(), "no error") << "400 may be up to 415";
  counts[9] = 9;
  counts[11] = 0;
  EXPECT_THAT(Error(), HasSubstr("wait_tsc_cycles_total of these waits is 499, expected at most "));
  counts[9] = 0;
  counts[11] = 9;
  counts[WaitBucketOf(400)] = 0;
  counts[WaitBucketOf(390)] = 1;
  EXPECT_THAT(Error(), HasSubstr("wait_tsc_cycles_total of these waits is 499, expected at most "));
  block_->vcpus[1].wait_tsc_cycles_total = 489;
  EXPECT_THAT(Error(), HasSubstr("the last bucket of wait_histogram is 384, expected 400"));
}

TEST_F(CheckResultBlockTest, HugeBucketsDoNotOverflow) {
  histograms_[0].counts[PLECTL_WAIT_BUCKETS - 1] = 9;
  histograms_[0].counts[11] = 0;
  EXPECT_THAT(Error(), HasSubstr("expected at least 18446744073709551615"));
}

TEST_F(CheckResultBlockTest, RefusesRandomBytes) {
  std::memset(block_.get(), 0xa5, sizeof(plectl_result_block));
  EXPECT_THAT(Error(), HasSubstr("magic"));
}

}  // namespace
}  // namespace plectl::guests
