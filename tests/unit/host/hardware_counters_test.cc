// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/hardware_counters.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CpuInfo Cpu(std::string_view vendor, int family, int model, std::string_view flags) {
  return CpuInfo::Parse(fmt::format("vendor_id\t: {}\ncpu family\t: {}\nmodel\t: {}\nflags\t: {}\n",
                                    vendor, family, model, flags));
}

HardwareQuantity Find(const CpuInfo& cpu, std::string_view name) {
  for (const HardwareQuantity& quantity : HardwareQuantities(cpu)) {
    if (quantity.event.name == name) return quantity;
  }
  ADD_FAILURE() << "no quantity " << name;
  return {};
}

TEST(HardwareQuantities, KnowThePauseEventOfTheModel) {
  const auto config = [](int model) {
    return Find(Cpu("GenuineIntel", 6, model, "fpu arch_perfmon"), "pauses_retired_guest")
        .event.config;
  };
  EXPECT_EQ(config(0x55), 0x40ccU);
  EXPECT_EQ(config(0x6a), 0x40ccU);
  EXPECT_EQ(config(0x8f), 0x10440ecU);
}

TEST(HardwareQuantities, SayWhatAModelDoesNotHave) {
  const CpuInfo haswell = Cpu("GenuineIntel", 6, 60, "fpu arch_perfmon");
  EXPECT_THAT(Find(haswell, "pauses_retired_guest").missing_because, HasSubstr("retired PAUSEs"));
  EXPECT_THAT(Find(haswell, "memory_ordering_clears_guest").missing_because, IsEmpty());
  const CpuInfo zen = Cpu("AuthenticAMD", 25, 0x55, "fpu perfctr_core");
  EXPECT_THAT(Find(zen, "pauses_retired_guest").missing_because, HasSubstr("retired PAUSEs"));
  EXPECT_THAT(Find(zen, "memory_ordering_clears_guest").missing_because, HasSubstr("clears"));
  EXPECT_THAT(Find(zen, "cycles_guest").missing_because, IsEmpty());
}

TEST(HardwareQuantities, OfACpuWithoutCountersAreAllMissing) {
  for (const HardwareQuantity& quantity : HardwareQuantities(Cpu("GenuineIntel", 6, 0x55, "fpu"))) {
    EXPECT_EQ(quantity.missing_because, "this CPU has no performance counters");
  }
}

TEST(HardwareCounters, AHostWithoutRaplSaysSo) {
  const FakeHost host("intel_ple");
  auto counters = HardwareCounters::Open(host.root());
  ASSERT_TRUE(counters) << counters.error().Text();
  counters->Arm({});
  const HardwareCounts counts = counters->Read();
  EXPECT_THAT(counts.energy_uj.at("energy-pkg").missing_because(), HasSubstr("no RAPL"));
  EXPECT_THAT(counts.vcpus, IsEmpty());
}

TEST(MicrojoulesPerUnit, IsReadFromPerfsText) {
  EXPECT_NEAR(MicrojoulesPerUnit("2.3283064365386962890625e-10\n").value(), 2.328306e-4, 1e-9);
  for (const char* const text : {"", "x", "-1", "0", "1e-10 J", "inf"}) {
    EXPECT_FALSE(MicrojoulesPerUnit(text)) << text;
  }
}

TEST(ParseCpumask, TakesCpusAndRanges) {
  EXPECT_THAT(ParseCpumask("0\n"), ElementsAre(0));
  EXPECT_THAT(ParseCpumask("0,18-20"), ElementsAre(0, 18, 19, 20));
  for (const char* const text : {"", "a", "3-1", "1,", "0-99999999"}) {
    EXPECT_THAT(ParseCpumask(text), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace plectl::host
