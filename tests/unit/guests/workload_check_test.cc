// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/workload_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/guests/payload_source.h"
#include "tests/payloads/embedded.h"

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

Workload Valid() {
  Workload workload;
  workload.payload = "ttas";
  workload.cpus = {0};
  return workload;
}

const PayloadImage& Embedded() {
  static const PayloadImage image = EmbeddedPayloads().value();
  return image;
}

std::string ErrorOf(const Workload& workload) {
  const auto status = CheckWorkload(Embedded(), workload);
  if (status) return "no error";
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  return status.error().Text();
}

TEST(PayloadNames, AreThoseOfTheEmbeddedElf) {
  EXPECT_THAT(
      PayloadNames(Embedded()),
      ::testing::ElementsAre("token_ring", "tas", "ttas", "ticket", "mcs", "qspinlock",
                             "holder_preempted", "barrier", "ipi_shootdown", "idle", "pause_storm",
                             "pause_loop", "wait_loop", "relax_cost", "user_pause_loop"));
}

TEST(CheckWorkload, AcceptsEveryPayloadWithTwoVcpus) {
  for (const std::string_view name : PayloadNames(Embedded())) {
    Workload workload = Valid();
    workload.payload = name;
    EXPECT_TRUE(CheckWorkload(Embedded(), workload)) << name;
    workload.vcpus = 64;
    EXPECT_TRUE(CheckWorkload(Embedded(), workload)) << name;
  }
}

TEST(CheckWorkload, BoundsTheVcpusOfAllVms) {
  Workload workload = Valid();
  workload.vcpus = 16;
  workload.vms = 4;
  EXPECT_TRUE(CheckWorkload(Embedded(), workload));
  workload.vms = 5;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("vms is 5: with 16 vCPUs each, 1 to 4 VMs"));
  workload.vms = 0;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("vms is 0"));
}

TEST(CheckWorkload, CountsTheVcpusOfAllVmsAgainstTheCpusUnderFifo) {
  Workload workload = Valid();
  workload.scheduling = VcpuScheduling::kFifo;
  workload.cpus = {0, 1};
  EXPECT_TRUE(CheckWorkload(Embedded(), workload));
  workload.vms = 2;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("4 vCPUs on 2 CPUs cannot run under SCHED_FIFO"));
}

TEST(CheckWorkload, SuggestsAPayload) {
  Workload workload = Valid();
  workload.payload = "tickets";
  EXPECT_THAT(ErrorOf(workload), HasSubstr("did you mean \"ticket\"?"));
  workload.payload = "hostile_hang";
  EXPECT_THAT(ErrorOf(workload), HasSubstr("token_ring, tas, ttas, ticket, mcs"));
}

TEST(CheckWorkload, NeedsContentionWhereThePayloadDoes) {
  Workload workload = Valid();
  workload.vcpus = 1;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("2 to 64 vCPUs, since it needs contention"));
  workload.payload = "pause_storm";
  EXPECT_EQ(ErrorOf(workload), "no error");
  workload.vcpus = 0;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("vcpus is 0"));
  workload.vcpus = 65;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("vcpus is 65"));
}

TEST(CheckWorkload, NeedsCpusAndIterations) {
  Workload workload = Valid();
  workload.cpus = {};
  EXPECT_THAT(ErrorOf(workload), HasSubstr("cpus is empty"));
  workload.cpus = {0, -1};
  EXPECT_THAT(ErrorOf(workload), HasSubstr("cpus holds -1"));
  workload.cpus = {1024};
  EXPECT_THAT(ErrorOf(workload), HasSubstr("cpus holds 1024"));
  workload = Valid();
  workload.iterations = 0;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("iterations is 0"));
}

TEST(CheckWorkload, RefusesFifoSpinnersThatShareACpu) {
  Workload workload = Valid();
  workload.scheduling = VcpuScheduling::kFifo;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("SCHED_FIFO"));
  workload.cpus = {0, 1};
  EXPECT_EQ(ErrorOf(workload), "no error");
  workload.cpus = {0};
  workload.payload = "pause_storm";
  EXPECT_EQ(ErrorOf(workload), "no error");
}

TEST(CheckWorkload, LocksTurnInterruptsOffEitherWay) {
  Workload workload = Valid();
  for (const char* lock :
       {"token_ring", "tas", "ttas", "ticket", "mcs", "qspinlock", "holder_preempted"}) {
    workload.payload = lock;
    for (const auto word : {InterruptsOff::kHolding, InterruptsOff::kLocking}) {
      workload.interrupts_off = word;
      EXPECT_EQ(ErrorOf(workload), "no error") << lock;
    }
  }
}

TEST(CheckWorkload, SpinnersHoldNothing) {
  Workload workload = Valid();
  for (const char* spinner : {"pause_storm", "pause_loop"}) {
    workload.payload = spinner;
    workload.interrupts_off = InterruptsOff::kLocking;
    EXPECT_EQ(ErrorOf(workload), "no error") << spinner;
    workload.interrupts_off = InterruptsOff::kHolding;
    EXPECT_THAT(ErrorOf(workload), HasSubstr("interrupts_off is holding"));
    EXPECT_THAT(ErrorOf(workload), HasSubstr("holds no lock"));
  }
}

TEST(CheckWorkload, RefusesInterruptsOffWhereThePayloadKeepsThemOn) {
  Workload workload = Valid();
  workload.payload = "user_pause_loop";
  EXPECT_EQ(ErrorOf(workload), "no error");
  workload.interrupts_off = InterruptsOff::kLocking;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("interrupts_off is locking: payload user_pause_loop"));
  workload.interrupts_off = InterruptsOff::kHolding;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("always runs with interrupts on"));
}

TEST(CheckWorkload, RoundsWithoutALockKeepInterruptsOn) {
  Workload workload = Valid();
  workload.interrupts_off = InterruptsOff::kLocking;
  for (const char* payload : {"barrier", "ipi_shootdown", "idle"}) {
    workload.payload = payload;
    EXPECT_THAT(ErrorOf(workload), HasSubstr("always runs with interrupts on"));
  }
}

TEST(CheckWorkload, EndsByIterationsOrByTime) {
  Workload workload = Valid();
  workload.duration_tsc_cycles = 5;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("duration_tsc_cycles is 5, iterations is 1: one"));
  workload.iterations = 0;
  for (const char* payload : {"token_ring", "qspinlock", "barrier", "ipi_shootdown", "idle"}) {
    workload.payload = payload;
    EXPECT_EQ(ErrorOf(workload), "no error") << payload;
  }
  for (const char* payload : {"pause_storm", "pause_loop", "user_pause_loop"}) {
    workload.payload = payload;
    EXPECT_THAT(ErrorOf(workload), HasSubstr("duration_tsc_cycles is 5: payload"));
  }
}

TEST(CheckWorkload, TimesAreForThoseWhoHoldOrThink) {
  Workload workload = Valid();
  workload.payload = "barrier";
  workload.think_tsc_cycles = 7;
  EXPECT_EQ(ErrorOf(workload), "no error");
  workload.hold_tsc_cycles = 7;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("hold_tsc_cycles is 7: payload barrier does not hold"));
  workload.payload = "pause_loop";
  workload.hold_tsc_cycles = 0;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("think_tsc_cycles is 7: payload pause_loop does not"));
}

TEST(CheckWorkload, DistributionsNeedAMean) {
  Workload workload = Valid();
  workload.hold_distribution = Distribution::kExponential;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("its mean hold_tsc_cycles is 0"));
  workload.hold_tsc_cycles = 7;
  EXPECT_EQ(ErrorOf(workload), "no error");
  workload.payload = "holder_preempted";
  EXPECT_THAT(ErrorOf(workload), HasSubstr("picks its holds itself"));
  workload = Valid();
  workload.payload = "pause_storm";
  workload.think_distribution = Distribution::kExponential;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("think_distribution is exponential: payload"));
}

TEST(CheckWorkload, ASeedNeedsSomethingRandom) {
  Workload workload = Valid();
  workload.random_seed = 2;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("random_seed is 2: nothing is random"));
  workload.payload = "holder_preempted";
  EXPECT_EQ(ErrorOf(workload), "no error");
  workload.payload = "idle";
  workload.think_tsc_cycles = 100;
  workload.think_distribution = Distribution::kExponential;
  EXPECT_EQ(ErrorOf(workload), "no error");
}

TEST(CheckWorkload, RowsOfRelaxInstructionsAreForWaitLoops) {
  Workload workload = Valid();
  workload.relax_repeat = 64;
  for (const char* payload : {"tas", "barrier", "ipi_shootdown"}) {
    workload.payload = payload;
    EXPECT_EQ(ErrorOf(workload), "no error") << payload;
  }
  for (const char* payload : {"pause_loop", "pause_storm", "idle"}) {
    workload.payload = payload;
    EXPECT_THAT(ErrorOf(workload), HasSubstr("relax_repeat is 64: payload"));
  }
  workload.payload = "ttas";
  workload.body_loops = 1;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("relax_repeat is 64, body_loops is 1"));
  workload.relax_repeat = 65;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("relax_repeat is 65: allowed are 1 to 64"));
  workload = Valid();
  workload.payload = "idle";
  workload.body_loops = 1;
  EXPECT_THAT(ErrorOf(workload), HasSubstr("body_loops is 1: payload idle"));
}

TEST(CheckRelaxTscCycles, AllowsNoneOrWhatTheSledHolds) {
  for (const uint64_t cycles : {0U, 4U, 140U, 1027U}) EXPECT_TRUE(CheckRelaxTscCycles(cycles));
  for (const uint64_t cycles : {uint64_t{1}, uint64_t{3}, uint64_t{1028}, UINT64_MAX}) {
    const auto status = CheckRelaxTscCycles(cycles);
    ASSERT_FALSE(status) << cycles;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(status.error().message, HasSubstr("allowed are 0 and 4 to 1027"));
  }
}

TEST(CheckWorkload, KnowsThePayloadsOfTheGivenElf) {
  const auto image = PayloadImage::Parse(HostileGuestElf());
  ASSERT_TRUE(image) << image.error().Text();
  Workload workload = Valid();
  workload.payload = "hostile_halt";
  const auto index = CheckWorkload(*image, workload);
  ASSERT_TRUE(index) << index.error().Text();
  EXPECT_EQ(image->payloads()[*index].name, "hostile_halt");
  workload.payload = "ttas";
  EXPECT_FALSE(CheckWorkload(*image, workload));
}

}  // namespace
}  // namespace plectl::guests
