// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/device_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::HasSubstr;

class DeviceNodeTest : public testing::Test {
 protected:
  // As the kernel makes it.
  void NewNode() const {
    host_.Remove("/dev/kvm");
    host_.Write("/dev/kvm", "");
    ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  }
  FakeHost host_{"intel_ple"};
  const std::filesystem::path path_ = host_.root().Path("/dev/kvm");
};

TEST_F(DeviceNodeTest, TheModeIsPutBack) {
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  const DeviceNode before = ReadDeviceNode(host_.root()).value();
  NewNode();
  EXPECT_TRUE(PutDeviceNodeBack(host_.root(), before));
  EXPECT_EQ(ReadDeviceNode(host_.root()), before);
}

TEST_F(DeviceNodeTest, TheOwnerIsPutBackOrReported) {
  DeviceNode before = ReadDeviceNode(host_.root()).value();
  before.gid = 12345;
  NewNode();
  const Status back = PutDeviceNodeBack(host_.root(), before);
  EXPECT_EQ(back.has_value(), ::geteuid() == 0);
  if (back) {
    EXPECT_EQ(ReadDeviceNode(host_.root()), before);
  } else {
    EXPECT_THAT(back.error().hint, HasSubstr(":12345 /dev/kvm"));
  }
}

// user::rw-, user:65534:rw-, group::---, mask::rw-, other::---: acl(5), version 2.
TEST_F(DeviceNodeTest, TheAclIsPutBack) {
  const std::string_view acl(
      "\2\0\0\0\1\0\6\0\377\377\377\377\2\0\6\0\376\377\0\0\4\0\0\0\377\377\377\377"
      "\20\0\6\0\377\377\377\377\40\0\0\0\377\377\377\377",
      44);
  if (::setxattr(path_.c_str(), "system.posix_acl_access", acl.data(), acl.size(), 0) != 0) {
    GTEST_SKIP() << "this file system has no ACLs";
  }
  const DeviceNode before = ReadDeviceNode(host_.root()).value();
  EXPECT_THAT(DeviceNodeText(before), HasSubstr("with an ACL"));
  NewNode();
  EXPECT_NE(ReadDeviceNode(host_.root()), before);
  EXPECT_TRUE(PutDeviceNodeBack(host_.root(), before));
  EXPECT_EQ(ReadDeviceNode(host_.root()), before);
  // And an ACL that was not there goes.
  NewNode();
  const DeviceNode plain = ReadDeviceNode(host_.root()).value();
  ASSERT_TRUE(PutDeviceNodeBack(host_.root(), before));
  EXPECT_TRUE(PutDeviceNodeBack(host_.root(), plain));
  EXPECT_EQ(ReadDeviceNode(host_.root()), plain);
}

TEST_F(DeviceNodeTest, ALinkIsNoNode) {
  host_.Remove("/dev/kvm");
  std::filesystem::create_symlink("/etc/passwd", path_);
  EXPECT_EQ(ReadDeviceNode(host_.root()), std::nullopt);
}

}  // namespace
}  // namespace plectl::host
