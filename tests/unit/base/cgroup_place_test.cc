// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/cgroup_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/base/temp_dir.h"

namespace plectl {
namespace {

using testing::HasSubstr;

constexpr std::string_view kMount =
    "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

// A host whose plectl (PID 7) is in the cgroup `own`.
class CgroupHost {
 public:
  explicit CgroupHost(std::string_view own, std::string_view mount = kMount) {
    Write("/proc/self/mountinfo", "23 1 0:21 / /sys rw - sysfs sysfs rw\n" + std::string(mount));
    Write("/proc/self/cgroup", "1:name=systemd:/x\n0::" + std::string(own) + "\n");
    std::filesystem::create_directories(root().Path("/proc/self/ns"));
    std::filesystem::create_symlink("pid:[4026531836]", root().Path("/proc/self/ns/pid"));
    Process("7", "500");
  }
  [[nodiscard]] HostRoot root() const { return HostRoot(dir_.path()); }
  void Write(std::string_view path, std::string_view text) const {
    std::filesystem::create_directories(root().Path(path).parent_path());
    std::ofstream(root().Path(path)) << text;
  }
  void Process(const std::string& pid, const std::string& ticks) const {
    Write("/proc/" + pid + "/stat",
          pid + " (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 " + ticks + " 1 2 3\n");
  }
  // A cgroup as the kernel shows it; only the root has no type.
  void Cgroup(const std::string& path, std::string_view controllers,
              std::string_view passed_on) const {
    Write("/sys/fs/cgroup" + path + "/cgroup.controllers", controllers);
    Write("/sys/fs/cgroup" + path + "/cgroup.subtree_control", passed_on);
    if (!path.empty()) Write("/sys/fs/cgroup" + path + "/cgroup.type", "domain\n");
  }

 private:
  TempDir dir_;
};

std::string WhyNot(const CgroupHost& host) {
  const auto parent = MemoryCgroupParent(host.root());
  return parent ? "found " + *parent : parent.error().message;
}

TEST(MemoryCgroupParent, IsTheRootWhenWeAreThere) {
  const CgroupHost host("/");
  host.Cgroup("", "cpuset cpu io memory pids\n", "\n");
  EXPECT_EQ(MemoryCgroupParent(host.root()).value(), "/sys/fs/cgroup");
}

TEST(MemoryCgroupParent, IsTheOneAboveWhichPassesMemoryOn) {
  const CgroupHost host("/user.slice/a.scope");
  host.Cgroup("/user.slice/a.scope", "memory pids\n", "");
  host.Cgroup("/user.slice", "memory pids\n", "memory pids\n");
  host.Write("/sys/fs/cgroup/user.slice/a.scope/memory.max", "max\n");
  EXPECT_EQ(MemoryCgroupParent(host.root()).value(), "/sys/fs/cgroup/user.slice");
}

TEST(MemoryCgroupParent, IsNotWhereOurOwnLimitWouldBeEscaped) {
  const CgroupHost host("/user.slice/a.scope");
  host.Cgroup("/user.slice/a.scope", "memory pids\n", "");
  host.Cgroup("/user.slice", "memory pids\n", "memory pids\n");
  host.Write("/sys/fs/cgroup/user.slice/a.scope/memory.max", "1073741824\n");
  EXPECT_THAT(WhyNot(host), HasSubstr("would escape its memory.max 1073741824"));
}

TEST(MemoryCgroupParent, FollowsAMountThatShowsAPart) {
  const CgroupHost host("/docker/x/inner",
                        "29 23 0:26 /docker/x /mnt/cg rw - cgroup2 cgroup2 rw\n");
  host.Write("/mnt/cg/inner/cgroup.controllers", "memory");
  host.Write("/mnt/cg/inner/cgroup.type", "domain");
  host.Write("/mnt/cg/cgroup.subtree_control", "memory");
  EXPECT_EQ(MemoryCgroupParent(host.root()).value(), "/mnt/cg");
}

TEST(MemoryCgroupParent, SaysWhyThereIsNone) {
  EXPECT_THAT(WhyNot(CgroupHost("/", "")), HasSubstr("no cgroup v2 is mounted"));
  EXPECT_THAT(WhyNot(CgroupHost("/")), HasSubstr("/sys/fs/cgroup has no memory controller"));
  EXPECT_THAT(WhyNot(CgroupHost("/../x")), HasSubstr("outside of the namespace"));
  EXPECT_THAT(WhyNot(CgroupHost("no path")), HasSubstr("in no cgroup v2"));
  const CgroupHost container("/");
  container.Cgroup("", "memory\n", "");
  container.Write("/sys/fs/cgroup/cgroup.type", "domain\n");
  EXPECT_THAT(WhyNot(container), HasSubstr("is all that we see"));
  const CgroupHost inner("/a/b");
  inner.Cgroup("/a/b", "memory\n", "");
  EXPECT_THAT(WhyNot(inner), HasSubstr("/sys/fs/cgroup/a passes no memory controller on"));
}

TEST(IsStaleCgroup, TellsADeadOwnerFromALiveOneAndFromAnother) {
  const CgroupHost host("/");
  EXPECT_EQ(CgroupNamePrefix(host.root(), "7").value(), "plectl-4026531836-7-500-");
  EXPECT_FALSE(IsStaleCgroup(host.root(), "plectl-4026531836-7-500-0"));
  EXPECT_TRUE(IsStaleCgroup(host.root(), "plectl-4026531836-7-50-0")) << "the number was reused";
  EXPECT_TRUE(IsStaleCgroup(host.root(), "plectl-4026531836-8-500-3")) << "no such process";
  EXPECT_FALSE(IsStaleCgroup(host.root(), "plectl-4026531999-8-500-3")) << "another namespace";
  for (const std::string_view name :
       {"", "plectl", "plectl-", "plectl-4026531836-8-500", "plectl-4026531836-8-500-0-1",
        "plectl-4026531836-../8-500-0", "plectl-4026531836--500-0", "init.scope"}) {
    EXPECT_FALSE(IsStaleCgroup(host.root(), name)) << name;
  }
}

}  // namespace
}  // namespace plectl
