// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host_tools/base/file.h"
#include "host_tools/lab/tool.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/lab/kernel_bytes.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class KernelFilesTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path At(const std::string& path) const { return directory_.path() / path; }
  void Write(const std::string& path, const std::string& content) const {
    ASSERT_TRUE(MakeDirectories(At(path).parent_path()));
    ASSERT_TRUE(WriteFileAtomically(At(path), content));
  }
  // A package with what Write() put below `name`/.
  fs::path Package(const std::string& name, const std::string& package,
                   const std::string& architecture = "amd64") {
    Write(name + "/DEBIAN/control", "Package: " + package +
                                        "\nVersion: 1\nArchitecture: " + architecture +
                                        "\nMaintainer: me <me@example.org>\nDescription: it\n");
    const auto built =
        RunTool({"dpkg-deb", "--build", At(name), At(name + ".deb")}, directory_.path());
    EXPECT_TRUE(built) << built.error().Text();
    return At(name + ".deb");
  }
  [[nodiscard]] Status Take(const std::vector<fs::path>& debs) const {
    PLECTL_RETURN_IF_ERROR(UnpackDebs(debs, At("unpacked")));
    return TakeKernelFiles(At("unpacked"), "it", At("finished"));
  }
  static void ExpectRefused(const Status& status, const std::string& text) {
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput) << status.error().Text();
    EXPECT_THAT(status.error().message, HasSubstr(text));
    EXPECT_FALSE(status.error().hint.empty());
  }
  const TempDir directory_;
};

TEST_F(KernelFilesTest, OfAPackageThatIsNoKernelAreRefused) {
  Write("hello/usr/bin/hello", "hi");
  ExpectRefused(Take({Package("hello", "hello")}), "it has no kernel image");
}

TEST_F(KernelFilesTest, OfHeadersOnlyAreRefused) {
  Write("headers/usr/src/linux-headers-6.18.0/Makefile", "all:");
  ExpectRefused(Take({Package("headers", "linux-headers-6.18.0")}), "it has no kernel image");
}

TEST_F(KernelFilesTest, OfTwoBuildsOfOnePackageAreRefused) {
  Write("a/boot/vmlinuz-6.18.0", Image("6.18.0 (a) #1", ""));
  Write("b/boot/vmlinuz-6.18.0", Image("6.18.0 (b) #2", ""));
  ExpectRefused(Take({Package("a", "linux-image-6.18.0"), Package("b", "linux-image-6.18.0")}),
                "two of the files are a package linux-image-6.18.0");
}

TEST_F(KernelFilesTest, OfTwoKernelsAreRefused) {
  Write("a/boot/vmlinuz-6.18.0", Image("6.18.0 (a)", ""));
  Write("b/boot/vmlinuz-6.19.0", Image("6.19.0 (b)", ""));
  ExpectRefused(Take({Package("a", "linux-image-6.18.0"), Package("b", "linux-image-6.19.0")}),
                "several kernels: 6.18.0 and 6.19.0");
}

TEST_F(KernelFilesTest, OfAnotherMachineAreRefused) {
  Write("a/boot/vmlinuz-6.18.0", "MZ");
  ExpectRefused(Take({Package("a", "linux-image-6.18.0", "arm64")}), "is for arm64");
}

TEST_F(KernelFilesTest, OfADamagedPackageAreRefused) {
  Write("a/boot/vmlinuz-6.18.0", Image("6.18.0 (a)", std::string(100'000, 'p')));
  const fs::path deb = Package("a", "linux-image-6.18.0");
  const std::string whole = *ReadFile(deb);
  for (const size_t length : {size_t{0}, size_t{70}, whole.size() / 2, whole.size() - 30}) {
    Write("cut.deb", whole.substr(0, length));
    const Status taken = Take({At("cut.deb")});
    ASSERT_FALSE(taken) << length << " of " << whole.size();
    EXPECT_EQ(taken.error().kind, ErrorKind::kBadInput) << taken.error().Text();
    EXPECT_THAT(taken.error().message, HasSubstr("cut.deb"));
  }
}

TEST_F(KernelFilesTest, WithoutThePromisedModulesAreRefused) {
  Write("a/boot/vmlinuz-6.18.0", Image("6.18.0 (a)", ""));
  Write("a/boot/config-6.18.0", "CONFIG_KVM=m\nCONFIG_KVM_INTEL=m\n");
  ExpectRefused(Take({Package("a", "linux-image-6.18.0")}),
                "it: CONFIG_KVM is a module of kernel 6.18.0, but kvm.ko is not there");
  Write("a/boot/config-6.18.0", "CONFIG_KVM=y\nCONFIG_KVM_INTEL=m\n");
  ExpectRefused(Take({Package("a", "linux-image-6.18.0")}), "kvm-intel.ko is not there");
  Write("a/boot/config-6.18.0", "CONFIG_KVM=y\nCONFIG_KVM_INTEL=y\n");
  const Status built_in = Take({Package("a", "linux-image-6.18.0")});
  EXPECT_TRUE(built_in) << built_in.error().Text();
}

TEST_F(KernelFilesTest, AreKnownByTheirContent) {
  LabKernelChoice deb{"", {At("a.deb")}, {}};
  Write("a.deb", "one build");
  const auto time = fs::last_write_time(At("a.deb"));
  const auto before = IdentityOfFiles(deb);
  ASSERT_TRUE(before);
  Write("a.deb", "two build");
  fs::last_write_time(At("a.deb"), time);
  EXPECT_NE(*IdentityOfFiles(deb), *before);
  Write("a.deb", "one build");
  EXPECT_EQ(*IdentityOfFiles(deb), *before) << "the same build again";
}

TEST_F(KernelFilesTest, OfADirectoryAreKnownByWhatIsUsedOfThem) {
  const LabKernelChoice choice{"", {}, At("tree")};
  Write("tree/bzImage", Image("6.18.0 (a)", "one"));
  Write("tree/lib/modules/6.18.0/kernel/kvm.ko", "one");
  Write("tree/lib/modules/6.18.0/kernel/other.ko", "one");
  std::string before = *IdentityOfFiles(choice);
  EXPECT_EQ(*IdentityOfFiles(choice), before);
  for (const char* file :
       {"bzImage", "lib/modules/6.18.0/kernel/kvm.ko", "lib/modules/6.18.0/kernel/other.ko"}) {
    const fs::path path = At(std::string("tree/") + file);
    const auto time = fs::last_write_time(path);
    std::string content = *ReadFile(path);
    content.back() = '2';
    Write(std::string("tree/") + file, content);
    fs::last_write_time(path, time);
    EXPECT_NE(*IdentityOfFiles(choice), before) << file;
    before = *IdentityOfFiles(choice);
  }
}

// A depmod that cannot read the modules' compression leaves a list without them; a stale list names
// others. Another build of KVM must be noticed all the same.
TEST_F(KernelFilesTest, AreKnownByTheirModulesWhateverTheirListSays) {
  const LabKernelChoice choice{"", {}, At("tree")};
  Write("tree/bzImage", Image("6.18.0 (a)", "one"));
  std::string content = "one";
  Write("tree/lib/modules/6.18.0/kernel/kvm.ko.gz", content);
  for (const char* list : {"", "kernel/other.ko:\n", "kernel/kvm.ko:\n"}) {
    Write("tree/lib/modules/6.18.0/modules.dep", list);
    const std::string before = *IdentityOfFiles(choice);
    Write("tree/lib/modules/6.18.0/kernel/kvm.ko.gz", content += '2');
    EXPECT_NE(*IdentityOfFiles(choice), before) << list;
  }
}

// Modules are linked to where depmod works, which changes all that stat(2) tells of them.
TEST_F(KernelFilesTest, StayTheSameWhenTheyAreTaken) {
  const LabKernelChoice choice{"", {}, At("tree")};
  Write("tree/bzImage", Image("6.18.0 (a)", "one"));
  Write("tree/lib/modules/6.18.0/modules.dep", "kernel/kvm.ko: kernel/irqbypass.ko\n");
  Write("tree/lib/modules/6.18.0/kernel/irqbypass.ko", "one");
  Write("tree/lib/modules/6.18.0/kernel/kvm.ko", "one");
  Write("tree/lib/modules/6.18.0/kernel/kvm-intel.ko", "one");
  Write("tree/lib/modules/6.18.0/kernel/other.ko", "one");
  const std::string before = *IdentityOfFiles(choice);
  fs::create_hard_link(At("tree/lib/modules/6.18.0/kernel/kvm.ko"), At("linked"));
  fs::copy(At("tree"), At("copy"), fs::copy_options::recursive);
  EXPECT_EQ(*IdentityOfFiles(choice), before);
  EXPECT_EQ(*IdentityOfFiles({"", {}, At("copy")}), before) << "the same kernel elsewhere";
  Write("tree/lib/modules/6.18.0/modules.dep", "kernel/kvm-intel.ko: kernel/kvm.ko\n");
  EXPECT_NE(*IdentityOfFiles(choice), before);
}

}  // namespace
}  // namespace plectl::lab
