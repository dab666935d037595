// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/module_watch.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/monitor/fake_vms.h"

namespace plectl::monitor {
namespace {

class ModuleWatchTest : public testing::Test {
 protected:
  // As the kernel does it: the folder is another one, whatever is in it.
  void Reload(std::string_view window) {
    const auto folder = host_.root().Path("/sys/module/kvm_intel");
    std::filesystem::rename(folder, host_.root().Path("/old" + std::to_string(++reloads_)));
    host_.Write("/sys/module/kvm_intel/parameters/ple_gap", "128\n");
    host_.Write("/sys/module/kvm_intel/parameters/ple_window", window);
  }
  [[nodiscard]] const ModuleState& Intel() const { return watch_.states().at("kvm_intel"); }

  FakeVms host_;
  ModuleWatch watch_{host_.root()};
  int reloads_ = 0;
};

TEST_F(ModuleWatchTest, KnowsWhatIsLoaded) {
  watch_.Look(1);
  watch_.ReadParameters();
  EXPECT_TRUE(watch_.healthy());
  EXPECT_EQ(watch_.states().size(), 2U);
  EXPECT_EQ(Intel().parameters.at("ple_window"), "4096");
  EXPECT_EQ(Intel().reloads, 0U);
  EXPECT_EQ(Intel().loaded_timestamp_s, std::nullopt) << "nobody saw it";
}

TEST_F(ModuleWatchTest, CountsReloadsAndChangedParameters) {
  watch_.Look(1);
  Reload("8192\n");
  watch_.Look(2);
  watch_.Look(3);
  EXPECT_EQ(Intel().reloads, 1U);
  EXPECT_EQ(Intel().parameter_changes, 1U);
  EXPECT_EQ(Intel().loaded_timestamp_s, 2);
  Reload("8192\n");
  watch_.Look(4);
  EXPECT_EQ(Intel().reloads, 2U);
  EXPECT_EQ(Intel().parameter_changes, 1U);
}

TEST_F(ModuleWatchTest, SeesAParameterThatChangesWithoutAReload) {
  watch_.Look(1);
  host_.Write("/sys/module/kvm/parameters/halt_poll_ns", "0\n");
  watch_.ReadParameters();
  EXPECT_EQ(watch_.states().at("kvm").parameter_changes, 1U);
  EXPECT_EQ(watch_.states().at("kvm").reloads, 0U);
}

TEST_F(ModuleWatchTest, KeepsItsCountsWhileTheModuleIsAway) {
  watch_.Look(1);
  Reload("1024\n");
  watch_.Look(2);
  std::filesystem::rename(host_.root().Path("/sys/module/kvm_intel"), host_.root().Path("/away"));
  watch_.Look(3);
  watch_.ReadParameters();
  EXPECT_FALSE(watch_.healthy());
  EXPECT_FALSE(Intel().loaded);
  EXPECT_EQ(Intel().reloads, 1U);
}

TEST_F(ModuleWatchTest, SeesAFirstLoadThatCameLater) {
  watch_.Look(1);
  host_.Write("/sys/module/kvm_amd/parameters/nested", "1\n");
  watch_.Look(5);
  EXPECT_EQ(watch_.states().at("kvm_amd").loaded_timestamp_s, 5);
  EXPECT_EQ(watch_.states().at("kvm_amd").reloads, 0U);
}

}  // namespace
}  // namespace plectl::monitor
