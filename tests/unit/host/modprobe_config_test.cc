// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/modprobe_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "file:line module name=value"
std::vector<std::string> Texts(const std::vector<ModuleOption>& options) {
  std::vector<std::string> texts;
  for (const ModuleOption& option : options) {
    texts.push_back(PlaceText(option) + " " + option.module + " " + option.name +
                    (option.value ? "=" + *option.value : ""));
  }
  return texts;
}

std::vector<std::string> Parsed(std::string_view text) {
  return Texts(ParseModprobeFile(text, "f"));
}

// What `modprobe -C FOLDER -c` of kmod 30 makes of the same lines.
TEST(ModprobeFile, IsSplitAsModprobeDoes) {
  EXPECT_THAT(Parsed("options kvm-intel ple-gap=1 ple_window=2\n"),
              ElementsAre("f:1 kvm_intel ple_gap=1", "f:1 kvm_intel ple_window=2"));
  EXPECT_THAT(Parsed("\n  options\tkvm_amd\tnested"), ElementsAre("f:2 kvm_amd nested"));
  EXPECT_THAT(Parsed("# options a b=1\nalias a b\noptions a\nblacklist a\noption a b=1\n"),
              IsEmpty());
}

TEST(ModprobeFile, LinesAreContinuedAlsoInComments) {
  EXPECT_THAT(Parsed("options a b=1 \\\n c=2 \\\n  d=3\noptions e f=4\n"),
              ElementsAre("f:1 a b=1", "f:2 a c=2", "f:3 a d=3", "f:4 e f=4"));
  EXPECT_THAT(Parsed("# no \\\noptions a b=1\noptions a c=2\n"), ElementsAre("f:3 a c=2"));
}

TEST(ModprobeFile, BackslashAndQuotes) {
  EXPECT_THAT(Parsed("options a b\\c=1 d=\"x y\" \"e=z w\" f=2\\\\\n"),
              ElementsAre("f:1 a bc=1", "f:1 a d=x y", "f:1 a e=z w", "f:1 a f=2\\"));
}

TEST(ModprobeFile, LinesOfDosEndWithoutTheirCarriageReturn) {
  EXPECT_THAT(Parsed("options a b=1\r\noptions a c=2\r\n"), ElementsAre("f:1 a b=1", "f:2 a c=2"));
}

TEST(ModprobeFile, TakesAnyBytes) {
  for (const std::string_view text :
       {std::string_view("\\"), std::string_view("options a \\"),
        std::string_view("options a \"b="), std::string_view("\0\xff\x80options", 10),
        std::string_view("options a =1 = \"\" \"\n")}) {
    for (const ModuleOption& option : ParseModprobeFile(text, "f")) {
      EXPECT_FALSE(option.name.empty());
    }
  }
}

TEST(CommandLine, HasModuleOptionsAmongOthers) {
  const auto options = ParseCommandLine(
      "quiet kvm-intel.ple_gap=0 kvm.nested root=/dev/a.b=c kvm.x=1.5 .a=b a.=b\n");
  EXPECT_THAT(Texts(options),
              ElementsAre("/proc/cmdline kvm_intel ple_gap=0", "/proc/cmdline kvm x=1.5"));
  EXPECT_TRUE(IsFromCommandLine(options[0]));
}

TEST(ModprobeConfig, FilesComeByNameAndTheFirstFolderWins) {
  const FakeHost host("no_kvm");
  host.Write("/proc/cmdline", "a.n=6");
  host.Write("/lib/modprobe.d/20-x.conf", "options a n=1");
  host.Write("/lib/modprobe.d/10-y.conf", "options a n=2");
  host.Write("/run/modprobe.d/20-x.conf", "options a n=3");
  host.Write("/etc/modprobe.d/15-z.conf", "options a n=4");
  host.Write("/etc/modprobe.d/30-z.conf.off", "options a n=5");
  host.Write("/etc/modprobe.d/.hidden.conf", "options a n=5");
  const ModprobeConfig config = ReadModprobeConfig(host.root());
  EXPECT_THAT(Texts(config.options),
              ElementsAre("/lib/modprobe.d/10-y.conf:1 a n=2", "/etc/modprobe.d/15-z.conf:1 a n=4",
                          "/run/modprobe.d/20-x.conf:1 a n=3", "/proc/cmdline a n=6"));
  EXPECT_THAT(config.unread, IsEmpty());
}

TEST(ModprobeConfig, AFileLinkedToNowhereHidesItsNamesake) {
  const FakeHost host("no_kvm");
  host.Write("/lib/modprobe.d/x.conf", "options a n=1");
  std::filesystem::create_directories(host.root().Path("/etc/modprobe.d/folder.conf"));
  std::filesystem::create_symlink("/dev/null", host.root().Path("/etc/modprobe.d/x.conf"));
  EXPECT_THAT(ReadModprobeConfig(host.root()).options, IsEmpty());
}

TEST(ModprobeConfig, AHugeFileIsNamedNotRead) {
  const FakeHost host("no_kvm");
  host.Write("/etc/modprobe.d/x.conf", "options a n=1");
  std::filesystem::resize_file(host.root().Path("/etc/modprobe.d/x.conf"), 1ULL << 40);
  const ModprobeConfig config = ReadModprobeConfig(host.root());
  EXPECT_THAT(config.options, IsEmpty());
  EXPECT_THAT(config.unread, ElementsAre(testing::HasSubstr("/etc/modprobe.d/x.conf: larger")));
}

TEST(KernelUint, HasTheBaseOfItsPrefix) {
  EXPECT_EQ(ParseKernelUint("128"), 128U);
  EXPECT_EQ(ParseKernelUint("+128"), 128U);
  EXPECT_EQ(ParseKernelUint("0x80"), 128U);
  EXPECT_EQ(ParseKernelUint("0200"), 128U);
  EXPECT_EQ(ParseKernelUint("0"), 0U);
  for (const std::string_view text : {"", "-1", "0x", "08", "1k", "+", "+-1", " 1"}) {
    EXPECT_EQ(ParseKernelUint(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace plectl::host
