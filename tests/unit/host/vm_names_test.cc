// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/vm_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/text.h"
#include "host_tools/host/doctor.h"
#include "host_tools/host/module_holders.h"
#include "tests/unit/host/doctor_support.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kScope =
    "/machine.slice/machine-qemu\\x2d3\\x2dweb\\x2d1.scope/libvirt/emulator";

// The command line `text`, with '|' between the arguments.
std::string NameIn(std::string_view program, std::string_view text) {
  return VmNameIn(program, Split(text, '|'));
}

TEST(VmName, IsWhatTheCommandLineSays) {
  EXPECT_EQ(NameIn("qemu-system-x86", "/usr/bin/qemu-system-x86_64|-name|web1|-m|1G"), "web1");
  EXPECT_EQ(NameIn("qemu-system-x86", "q|-name|guest=web 1,debug-threads=on"), "web 1");
  EXPECT_EQ(NameIn("qemu-system-x86", "q|-name|debug-threads=on,guest=w,,x"), "w,x");
  EXPECT_EQ(NameIn("qemu-kvm", "q|--name=old,process=p"), "old");
  EXPECT_EQ(NameIn("kvm", "kvm|-name|deb"), "deb");
  EXPECT_EQ(NameIn("qemu-system-x86", "q|-uuid|5f4dcc3b|-name|debug-threads=on"), "5f4dcc3b");
  EXPECT_EQ(NameIn("firecracker", "/fc|--id|f1|--config-file|x"), "f1");
  EXPECT_EQ(NameIn("firecracker", "/fc|--id=f1"), "f1");
  EXPECT_EQ(NameIn("crosvm", "crosvm|run|--name|c=1,2"), "c=1,2");
  EXPECT_EQ(NameIn("lkvm", "lkvm|run|--name|l1"), "l1");
  EXPECT_EQ(NameIn("cloud-hyperviso", "ch|--api-socket|path=/run/ch/a.sock"), "/run/ch/a.sock");
  EXPECT_EQ(NameIn("cloud-hyperviso", "ch|--api-socket|/run/a.sock"), "/run/a.sock");
}

TEST(VmName, IsEmptyWhereNothingIsSaid) {
  for (const std::string_view text :
       {"", "|", "q", "q|-name", "q|-name|", "q|-name|,", "q|-name|debug-threads=on", "q|-named|x",
        "-name", "q|name|x"}) {
    EXPECT_EQ(NameIn("qemu-system-x86", text), "") << text;
  }
  EXPECT_EQ(NameIn("vm_holder", "x|-name|y|--id|z"), "");
  EXPECT_EQ(NameIn("firecracker", "x|-name|y"), "");
}

// The VM of the recorded busy host, with what a real one tells.
class NamedVm : public testing::Test {
 protected:
  void CommandLine(std::string_view text) const { NulSeparated("/proc/4242/cmdline", text); }
  void NulSeparated(std::string_view path, std::string_view text) const {
    std::string bytes(text);
    for (char& c : bytes) c = c == '|' ? '\0' : c;
    host_.Write(path, bytes + '\0');
  }
  [[nodiscard]] std::string Text() const {
    return HolderText(KvmFileHolders(host_.root()).value().at(0));
  }
  [[nodiscard]] Error Refusal() const {
    return WaitUntilUnused(host_.root(), KvmModule::kIntel, std::chrono::milliseconds(1)).error();
  }
  const FakeHost host_{"intel_busy"};
};

TEST_F(NamedVm, IsNamed) {
  CommandLine("/usr/bin/qemu-system-x86_64|-name|guest=web1,debug-threads=on|-uuid|5f4d");
  EXPECT_EQ(Text(), "4242 (qemu-system-x86, /dev/kvm, VM web1)");
  EXPECT_EQ(
      Refusal().hint,
      "shut down what runs as PID 4242 where it was started, or: sudo kill 4242, then try again");
}

TEST_F(NamedVm, OfLibvirtIsADomain) {
  CommandLine("/usr/bin/qemu-system-x86_64|-name|guest=web-1,debug-threads=on");
  host_.Write("/proc/4242/cgroup", "0::" + std::string(kScope) + "\n");
  EXPECT_EQ(Text(), "4242 (qemu-system-x86, /dev/kvm, libvirt domain web-1)");
  EXPECT_THAT(Refusal().message, HasSubstr("in use by 4242 (qemu-system-x86, /dev/kvm, libvirt "
                                           "domain web-1)"));
  EXPECT_EQ(Refusal().hint, "virsh shutdown web-1, then try again");
  const CheckResult check = Look(host_, "module_holders");
  EXPECT_THAT(check.seen, HasSubstr("libvirt domain web-1"));
  EXPECT_EQ(check.fix, "virsh shutdown web-1, before a sweep");
}

TEST_F(NamedVm, OfLibvirtWithoutSystemdIsFoundByItsPidFile) {
  host_.Write("/run/libvirt/qemu/other.pid", "17");
  host_.Write("/run/libvirt/qemu/db.pid", "4242\n");
  host_.Write("/run/libvirt/qemu/db.xml", "4242\n");
  EXPECT_EQ(Text(), "4242 (qemu-system-x86, /dev/kvm, libvirt domain db)");
}

TEST_F(NamedVm, IsFoundUnderAnotherComm) {
  host_.Write("/proc/4242/comm", "web\n");
  CommandLine("/usr/bin/qemu-system-x86_64|-name|guest=web1,process=web");
  EXPECT_EQ(Text(), "4242 (web, /dev/kvm, VM web1)");
}

// The text of a refusal goes to a terminal.
TEST_F(NamedVm, CannotWriteControlCharacters) {
  host_.Write("/proc/4242/comm", "q\x1b[2J\nemu\n");
  CommandLine("qemu|-name|\x1b]0;x\x07\r\n\xff" + std::string(100'000, 'x'));
  host_.Write("/proc/4242/cgroup", "0::" + std::string(kScope) + "\n");
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("q\\x1b[2J\\x0aemu"));
  EXPECT_THAT(text + Refusal().Text(), Each(testing::AllOf(testing::Ge(' '), testing::Le('~'))));
  EXPECT_EQ(Refusal().hint, "virsh shutdown 3, then try again");
  host_.Remove("/proc/4242/cgroup");
  EXPECT_THAT(Text(), HasSubstr("VM \\x1b]0;x\\x07\\x0d\\x0a\\xff"));
  EXPECT_LT(Text().size(), 1200U);
}

TEST_F(NamedVm, OthersToo) {
  std::filesystem::create_directories(host_.root().Path("/proc/77/fd"));
  std::filesystem::create_symlink("anon_inode:kvm-vm", host_.root().Path("/proc/77/fd/9"));
  host_.Write("/proc/77/comm", "firecracker\n");
  NulSeparated("/proc/77/cmdline", "/usr/bin/firecracker|--id|f1");
  host_.Write("/proc/4242/cgroup", "0::" + std::string(kScope) + "\n");
  EXPECT_THAT(Refusal().message, HasSubstr("77 (firecracker, kvm-vm, VM f1)"));
  EXPECT_EQ(
      Refusal().hint,
      "virsh shutdown web-1; shut down what runs as PID 77 where it was started, or: sudo kill "
      "77, then try again");
}

TEST_F(NamedVm, TracersAreNamedByScriptAndTracepoint) {
  host_.Remove("/proc/4242");
  host_.Write("/proc/4300/comm", "python3\n");
  NulSeparated("/proc/4300/cmdline", "python3|-u|/usr/bin/kvm_stat|-l");
  host_.Write("/proc/4301/fdinfo/1", "link_type:\traw_tracepoint\ntp_name:\tkvm_exit\n");
  EXPECT_THAT(Refusal().message, AllOf(HasSubstr("4300 (kvm_stat, perf_event)"),
                                       HasSubstr("4301 (bpf_exporter, bpf_link on kvm_exit)")));
  host_.Write("/proc/4301/fdinfo/1", "tp_name:\tsched_switch\n");
  host_.Remove("/proc/4301/fd/0");  // a program, which may be anywhere
  EXPECT_THAT(Refusal().message, Not(HasSubstr("4301")));
}

}  // namespace
}  // namespace plectl::host
