// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/libvirt_domains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host_tools/host/module_holders.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kScope =
    "/machine.slice/machine-qemu\\x2d3\\x2dweb\\x2d1.scope/libvirt/emulator";

std::string MachineIn(std::string_view path) {
  return DomainScopeIn(path).value_or(DomainScope{}).machine;
}

TEST(DomainScope, IsInTheCgroupsPath) {
  EXPECT_EQ(MachineIn(kScope), "qemu-3-web-1");
  EXPECT_EQ(MachineIn("/machine/qemu-12-db.libvirt-qemu/vcpu0"), "qemu-12-db");
  EXPECT_EQ(MachineIn("/machine.slice/machine-prod.slice/machine-qemu\\x2d3\\x2dw.scope"),
            "qemu-3-w");
  for (const std::string_view path :
       {"", "/", "/user.slice/x.scope", "machine-.scope", "/machine-qemu\\x2d3.scope",
        "/machine-qemu\\x2dx\\x2dweb.scope", "/machine-qemu\\x2", "/machine-qemu\\xzz3\\x2dw.scope",
        "/machine-lxc\\x2d3\\x2dweb.scope", "/.libvirt-qemu", "/machine.scope", "/qemu-3-web",
        "/qemu-3-web.libvirt-qemu"}) {
    EXPECT_EQ(MachineIn(path), "") << path;
  }
}

// A user may name cgroups below his own, and a service or a pod below its own, as they like.
TEST(DomainScope, IsNotWhereOthersThanRootMakeCgroups) {
  const std::string scope = "/machine-qemu\\x2d3\\x2dprod\\x2ddb.scope";
  for (const std::string above : {"/user.slice/user-1000.slice/user@1000.service/app.slice",
                                  "/user.slice", "/system.slice/docker-1.scope",
                                  "/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope",
                                  "/user.slice/user-1000.slice/user@1000.service/machine.slice",
                                  "/kubepods/burstable/pod1", "/.."}) {
    EXPECT_EQ(MachineIn(above + scope), "") << above;
    EXPECT_EQ(MachineIn(above + "/machine.slice" + scope), "") << above;
    EXPECT_EQ(MachineIn(above + "/machine/qemu-3-prod-db.libvirt-qemu"), "") << above;
  }
}

// The VM of the recorded busy host.
class LibvirtVm : public testing::Test {
 protected:
  void Named(std::string name) const {
    std::string list;
    for (const char c : name) list += c == ',' ? std::string(",,") : std::string(1, c);
    host_.Write("/proc/4242/cmdline", std::string("qemu-system-x86_64\0-name\0guest=", 31) + list +
                                          ",debug-threads=on" + '\0');
  }
  void In(std::string_view cgroup) const {
    host_.Write("/proc/4242/cgroup", "0::" + std::string(cgroup) + "\n");
  }
  [[nodiscard]] std::string Step() const { return HowToEnd(Holders()); }
  [[nodiscard]] std::string Text() const { return HolderText(Holders().at(0)); }
  [[nodiscard]] std::vector<Holder> Holders() const { return KvmFileHolders(host_.root()).value(); }
  const FakeHost host_{"intel_busy"};
};

constexpr std::string_view kByPid =
    "shut down what runs as PID 4242 where it was started, or: sudo kill 4242";

TEST_F(LibvirtVm, HasItsNameAsItIs) {
  for (const auto& [name, word] : {std::pair("café-büro", "'café-büro'"),
                                   {"a b", "'a b'"},
                                   {"it's", "'it'\\''s'"},
                                   {"a\"b", "'a\"b'"},
                                   {"-x", "-- '-x'"},
                                   {"\x1bx", "$'\\x1bx'"}}) {
    host_.Write(std::string("/run/libvirt/qemu/") + name + ".pid", "4242\n");
    Named(name);
    EXPECT_EQ(Step(), std::string("virsh shutdown ") + word);
    EXPECT_EQ(Holders().at(0).identity.vm_name, name);
    host_.Remove("/run/libvirt");
  }
  EXPECT_THAT(Text(), HasSubstr("VM \\x1bx"));
}

TEST_F(LibvirtVm, HasItsWholeNameWhereItsCgroupCutsIt) {
  const std::string name = "production-database-of-the-accounting-department-second-replica-7";
  Named(name);
  In("/machine.slice/machine-qemu\\x2d3\\x2dproduction\\x2ddatabase\\x2dof\\x2dthe\\x2dac"
     "counting\\x2ddepartment\\x2dsecond\\x2dr.scope");
  EXPECT_EQ(Step(), "virsh shutdown " + name);
  // libvirt leaves out what a machine's name cannot have.
  Named("café büro.");
  In("/machine.slice/machine-qemu\\x2d3\\x2dcafbro.scope");
  EXPECT_EQ(Step(), "virsh shutdown 'café büro.'");
  // What the process says of itself does not fit: the ID is libvirt's.
  Named("other");
  EXPECT_EQ(Step(), "virsh shutdown 3");
}

TEST_F(LibvirtVm, IsNotTakenForTheIdThatItsNameLooksLike) {
  Named("42");
  In("/machine.slice/machine-qemu\\x2d3\\x2d42.scope");
  EXPECT_EQ(Step(), "virsh shutdown 3");
  host_.Write("/run/libvirt/qemu/42.pid", "4242\n");
  EXPECT_EQ(Step(), "virsh shutdown 3");
  In("/elsewhere");
  EXPECT_EQ(Step(), kByPid);
}

TEST_F(LibvirtVm, IsNotWhatOnlyClaimsToBeOne) {
  Named("prod-db");
  In("/user.slice/user-1000.slice/user@1000.service/machine-qemu\\x2d3\\x2dprod\\x2ddb.scope");
  EXPECT_EQ(Step(), kByPid);
  EXPECT_THAT(Text(), AllOf(HasSubstr("VM prod-db"), Not(HasSubstr("libvirt"))));
}

TEST_F(LibvirtVm, IsNotTheDaemonItself) {
  host_.Write("/run/libvirt/qemu/driver.pid", "4242\n");
  EXPECT_EQ(Step(), kByPid);
  host_.Write("/run/libvirt/qemu/driver.xml", "<domstatus/>\n");
  EXPECT_EQ(Step(), "virsh shutdown driver");
}

TEST_F(LibvirtVm, IsNotOfAContainersLibvirt) {
  host_.Write("/run/libvirt/qemu/vm.pid", "4242\n");
  In(kScope);
  EXPECT_EQ(Step(), "virsh shutdown vm");
  host_.Write("/proc/4242/status", "Name:\tqemu\nNSpid:\t4242\t17\n");
  EXPECT_EQ(Step(), kByPid);
  host_.Write("/proc/4242/status", "Name:\tqemu\nNSpid:\t4242\n");
  EXPECT_EQ(Step(), "virsh shutdown vm");
  std::filesystem::create_symlink("/var/lib/containers/1", host_.root().Path("/proc/4242/root"));
  EXPECT_EQ(Step(), kByPid);
}

TEST_F(LibvirtVm, IsNotOfAPidFileThatAnyoneMayWrite) {
  host_.Write("/run/libvirt/qemu/vm.pid", "4242\n");
  const auto folder = host_.root().Path("/run/libvirt/qemu");
  const auto others = std::filesystem::perms::others_write;
  std::filesystem::permissions(folder, others, std::filesystem::perm_options::add);
  EXPECT_EQ(Step(), kByPid);
  std::filesystem::permissions(folder, others, std::filesystem::perm_options::remove);
  EXPECT_EQ(Step(), "virsh shutdown vm");
  std::filesystem::permissions(folder / "vm.pid", others, std::filesystem::perm_options::add);
  EXPECT_EQ(Step(), kByPid);
}

TEST_F(LibvirtVm, IsNotAnotherProcessOfItsNumber) {
  host_.Write("/run/libvirt/qemu/vm.pid", "4242\n");
  std::string stat = "4242 (qemu) S";
  for (int field = 4; field <= 21; ++field) stat += " 0";
  host_.Write("/proc/4242/stat", stat + " 100 0\n");
  host_.Write("/proc/stat", "cpu 1 2\nbtime 1000000000\n");
  EXPECT_EQ(Step(), "virsh shutdown vm");
  host_.Write("/proc/stat", "cpu 1 2\nbtime 9000000000\n");  // started after the file was written
  EXPECT_EQ(Step(), kByPid);
}

}  // namespace
}  // namespace plectl::host
