// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/host/doctor_support.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

// A CPU of 3.4 GHz (TSC), 0.8 to 3.9 GHz; performance and no turbo until a test changes it.
class CoreTscRatio : public testing::Test {
 protected:
  void Policy(int number, std::string_view name, std::string_view value) const {
    host_.Write(fmt::format("/sys/devices/system/cpu/cpufreq/policy{}/{}", number, name),
                fmt::format("{}\n", value));
  }
  void Turbo(bool on) const {
    host_.Write("/sys/devices/system/cpu/intel_pstate/no_turbo", on ? "0\n" : "1\n");
  }
  [[nodiscard]] CheckResult Found() const { return Look(host_, "core_tsc_ratio"); }

  const WholeHost host_{"intel_ple"};
};

TEST_F(CoreTscRatio, IsFineWhenTheClockStands) {
  ExpectVerdict(Found(), Verdict::kOk);
  EXPECT_EQ(Found().seen,
            "1.00 to 1.00, now 1.00: core 3.40 to 3.40 GHz, TSC 3.40 GHz (by the model name)");
}

TEST_F(CoreTscRatio, MovesWithTurbo) {
  Turbo(true);
  ExpectVerdict(Found(), Verdict::kWarning);
  EXPECT_THAT(Found().seen, HasSubstr("1.00 to 1.15, now 1.00: core 3.40 to 3.90 GHz"));
  EXPECT_EQ(Found().fix, "switch turbo off (see turbo)");
  Policy(0, "scaling_max_freq", "3500000");
  ExpectVerdict(Found(), Verdict::kOk);
}

TEST_F(CoreTscRatio, MovesWithTheGovernor) {
  Policy(0, "scaling_governor", "powersave");
  ExpectVerdict(Found(), Verdict::kWarning);
  EXPECT_THAT(Found().seen, HasSubstr("0.24 to 1.00"));
  EXPECT_EQ(Found().fix, "sudo cpupower frequency-set -g performance");
  Turbo(true);
  EXPECT_EQ(Found().fix,
            "sudo cpupower frequency-set -g performance; switch turbo off (see turbo)");
  for (const std::string_view name : {"scaling_min_freq", "scaling_max_freq"}) {
    Policy(0, name, "2000000");
  }
  ExpectVerdict(Found(), Verdict::kOk);
  EXPECT_THAT(Found().seen, HasSubstr("0.59 to 0.59"));
}

TEST_F(CoreTscRatio, DiffersBetweenKindsOfCores) {
  Policy(4, "scaling_governor", "performance");
  Policy(4, "cpuinfo_max_freq", "2500000");
  Policy(4, "base_frequency", "2500000");
  ExpectVerdict(Found(), Verdict::kWarning);
  EXPECT_EQ(Found().fix, "list CPUs of one kind only in a plan's cpus");
}

TEST_F(CoreTscRatio, KnowsAmdsBoost) {
  host_.Remove("/sys/devices/system/cpu/intel_pstate");
  host_.Write("/sys/devices/system/cpu/cpufreq/boost", "0\n");
  ExpectVerdict(Found(), Verdict::kOk);
  host_.Write("/sys/devices/system/cpu/cpufreq/boost", "1\n");
  ExpectVerdict(Found(), Verdict::kWarning);
}

TEST_F(CoreTscRatio, IsUnknownWhereNothingTells) {
  ExpectVerdict(Look(RecordedHost("intel_ple"), "core_tsc_ratio"), Verdict::kUnknown);
  std::string cpu = host_.Read("/proc/cpuinfo");
  cpu.replace(cpu.find("@ 3.40GHz"), 9, "         ");
  host_.Write("/proc/cpuinfo", cpu);
  ExpectVerdict(Found(), Verdict::kUnknown);
  EXPECT_THAT(Found().seen, HasSubstr("publishes no TSC frequency"));
}

TEST_F(CoreTscRatio, SurvivesNonsense) {
  for (const std::string_view value :
       {"", "0", "-1", "1e400", "nan", "inf", "x", "99999999999999"}) {
    for (const std::string_view name : {"cpuinfo_min_freq", "cpuinfo_max_freq", "scaling_min_freq",
                                        "scaling_max_freq", "base_frequency", "scaling_cur_freq"}) {
      Policy(0, name, value);
    }
    ExpectVerdict(Found(), Verdict::kUnknown);
  }
  Policy(0, "cpuinfo_max_freq", "3400000");
  Policy(0, "scaling_min_freq", "9999999");  // above the fastest
  Policy(0, "scaling_governor", "powersave");
  ExpectVerdict(Found(), Verdict::kOk);
}

}  // namespace
}  // namespace plectl::host
