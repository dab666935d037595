// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/noise_cpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "host_tools/base/host_root.h"

namespace plectl::host {
namespace {

using Q = NoiseQuantity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr uint64_t kTickNs = 10'000'000;

std::string Recorded(std::string_view path) {
  return HostRoot(PLECTL_FIXTURES "/noise/end").Read(path).value();
}

constexpr const char* kStat =
    "cpu  1 2 3 4 5 6 7 8 9 10\n"
    "cpu0 10 20 30 40 50 60 70 80 90 100\n"
    "cpu1 1 1 1 1 1 1 1 1 1 1\n"
    "cpu10 1000 1000 1000 2000 3000 4000 5000 6000 0 0\n"
    "intr 5 5 5\n"
    "ctxt 4711\n";

TEST(NoiseCpu, ReadsTheMeasuredCpusOfStat) {
  const std::vector<int> cpus = {0, 10};
  NoiseCounts counts;
  EXPECT_EQ(ParseStat(kStat, cpus, 100, counts), Count((40 + 50 + 2000 + 3000) * kTickNs));
  EXPECT_EQ(counts[Q::kIrqNs], Count((60 + 4000) * kTickNs));
  EXPECT_EQ(counts[Q::kSoftirqNs], Count((70 + 5000) * kTickNs));
  EXPECT_EQ(counts[Q::kStealNs], Count((80 + 6000) * kTickNs));
  EXPECT_EQ(counts[Q::kHostContextSwitches], Count(4711));
}

TEST(NoiseCpu, ReadsARecordedStat) {
  NoiseCounts counts;
  EXPECT_EQ(ParseStat(Recorded("/proc/stat"), std::vector<int>{0}, 100, counts),
            Count(14 * kTickNs));
  EXPECT_EQ(counts[Q::kHostContextSwitches], Count(3117));
  EXPECT_EQ(counts[Q::kStealNs], Count(0));
}

TEST(NoiseCpu, ACpuThatIsNotThereMakesAllMissing) {
  NoiseCounts counts;
  const std::vector<int> cpus = {0, 3};
  EXPECT_THAT(ParseStat(kStat, cpus, 100, counts).missing_because(),
              HasSubstr("/proc/stat has 1 of 2 measured CPUs"));
  EXPECT_FALSE(counts[Q::kStealNs].has_value());
  EXPECT_EQ(counts[Q::kHostContextSwitches], Count(4711));
}

TEST(NoiseCpu, OfAStatThatSaysNonsenseAllIsMissing) {
  for (const char* text : {"", "cpu0", "cpu0 1 2 3 4 5 6 7\n", "cpu0 1 2 3 x 5 6 7 8\n",
                           "cpu0 1 2 3 -4 5 6 7 8\nctxt\n", "cpu0x 1 2 3 4 5 6 7 8 9\n"}) {
    NoiseCounts counts;
    EXPECT_FALSE(ParseStat(text, std::vector<int>{0}, 100, counts).has_value()) << text;
    for (const Q quantity : {Q::kStealNs, Q::kIrqNs, Q::kSoftirqNs, Q::kHostContextSwitches}) {
      EXPECT_FALSE(counts[quantity].has_value()) << text;
    }
  }
}

TEST(NoiseCpu, ReadsTheMeasuredCpusOfSchedstat) {
  NoiseCounts counts;
  EXPECT_THAT(ParseSchedstat(Recorded("/proc/schedstat"), std::vector<int>{0}, counts),
              ElementsAre(Count(8'602'829'096)));
  EXPECT_EQ(counts[Q::kTimeslices], Count(3115));
  const char* text =
      "version 15\ntimestamp 1\ncpu0 0 0 0 0 0 0 100 1 7\ndomain0 3 0 0 0\n"
      "cpu1 0 0 0 0 0 0 1000 1 70\ncpu2 0 0 0 0 0 0 10000 1 700\n";
  EXPECT_THAT(ParseSchedstat(text, std::vector<int>{0, 2}, counts),
              ElementsAre(Count(100), Count(10'000)));
  EXPECT_EQ(counts[Q::kTimeslices], Count(707));
}

TEST(NoiseCpu, OfASchedstatThatSaysNonsenseAllIsMissing) {
  for (const char* text :
       {"", "version 15\n", "cpu0 0 0 0 0 0 0 100 1 7\n", "version 14\ncpu0 0 0 0 0 0 0 100 1 7\n",
        "version 15\ncpu0 0 0 0 0\n", "version 15\ncpu0 0 0 0 0 0 0 many 1 7\n"}) {
    NoiseCounts counts;
    EXPECT_FALSE(SumOf(ParseSchedstat(text, std::vector<int>{0}, counts)).has_value()) << text;
    EXPECT_FALSE(counts[Q::kTimeslices].has_value()) << text;
  }
}

constexpr const char* kInterrupts =
    "           CPU0       CPU2       CPU3       \n"
    "  0:          1          0          0   IO-APIC   2-edge      timer\n"
    "  8:          0          9          0   IR-IO-APIC   8-edge  hpet1\n"
    " 24:          5         60          7   IR-PCI-MSI 1048576-edge      nvme0q1\n"
    " 25:          0          0          0   IR-PCI-MSI 1048577-edge      eth0\n"
    "NMI:          1          2          3   Non-maskable interrupts\n"
    "LOC:       1000       2000       3000   Local timer interrupts\n"
    "RES:         10         20         30   Rescheduling interrupts\n"
    "CAL:        100        200        300   Function call interrupts\n"
    "TLB:         11         12         13   TLB shootdowns\n"
    "ERR:          4\n"
    "MIS:          0\n"
    "PIN:          1          1          1   Posted-interrupt notification event\n";

TEST(NoiseCpu, SortsTheMeasuredCpusInterrupts) {
  NoiseCounts counts;
  const std::vector<NoiseIrq> irqs = ParseInterrupts(kInterrupts, std::vector<int>{2, 3}, counts);
  EXPECT_EQ(counts[Q::kTimerIrqs], Count(5000 + 9));
  EXPECT_EQ(counts[Q::kIpiIrqs], Count(50 + 500 + 2));
  EXPECT_EQ(counts[Q::kTlbIrqs], Count(25));
  EXPECT_EQ(counts[Q::kDeviceIrqs], Count(67));
  EXPECT_EQ(counts[Q::kOtherIrqs], Count(5));
  EXPECT_THAT(irqs, ElementsAre(Pair("24 nvme0q1", 67), Pair("NMI", 5), Pair("TLB", 25)));
}

TEST(NoiseCpu, ReadsRecordedInterrupts) {
  NoiseCounts counts;
  EXPECT_THAT(ParseInterrupts(Recorded("/proc/interrupts"), std::vector<int>{0}, counts),
              ElementsAre(Pair("4 ttyS0", 1)));
  EXPECT_EQ(counts[Q::kTimerIrqs], Count(88 + 2157));
  EXPECT_EQ(counts[Q::kDeviceIrqs], Count(1));
  EXPECT_EQ(counts[Q::kTlbIrqs], Count(0));
}

TEST(NoiseCpu, OfInterruptsThatSayNonsenseAllIsMissing) {
  for (const char* text : {"", "CPU1\n 5: 1 x\n", "CPU0\n", "CPU0\nLOC 5\n",
                           "CPUx CPU0x\n 5: 1 2\n", "CPU0 CPU1\nLOC: 5\n"}) {
    NoiseCounts counts;
    EXPECT_THAT(ParseInterrupts(text, std::vector<int>{0}, counts), IsEmpty());
    for (const Q quantity :
         {Q::kTimerIrqs, Q::kIpiIrqs, Q::kTlbIrqs, Q::kDeviceIrqs, Q::kOtherIrqs}) {
      EXPECT_FALSE(counts[quantity].has_value()) << text;
    }
  }
}

TEST(NoiseCpu, ALineThatIsNoNumberSpoilsItsClassOnly) {
  NoiseCounts counts;
  ParseInterrupts("CPU0\nLOC: -5 Local\n 7: 3 IO eth0\n", std::vector<int>{0}, counts);
  EXPECT_FALSE(counts[Q::kTimerIrqs].has_value());
  EXPECT_EQ(counts[Q::kDeviceIrqs], Count(3));
}

}  // namespace
}  // namespace plectl::host
