// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/module_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "host_tools/host/load_obstacles.h"
#include "host_tools/host/module_loader.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A build ID as it is in memory and in the file: elf(5)'s note header, "GNU", 20 bytes.
std::string BuildId(char fill) {
  return std::string("\4\0\0\0\24\0\0\0\3\0\0\0GNU\0", 16) + std::string(20, fill);
}

class ModuleFileTest : public testing::Test {
 protected:
  void SetUp() override {
    host_.Write("/lib/kvm-intel.ko", "\177ELF..." + BuildId('a') + "...");
    host_.Write("/sys/module/kvm_intel/notes/.note.gnu.build-id", BuildId('a'));
    file_.path = host_.root().Path("/lib/kvm-intel.ko");
    file_.vermagic =
        host_.root().ReadTrimmed("/proc/sys/kernel/osrelease").value() + " SMP mod_unload ";
  }
  [[nodiscard]] std::string Same() const {
    const std::string another = WhyNotTheLoadedOne(host_.root(), KvmModule::kIntel, file_);
    return another.empty() ? "same" : another;
  }
  [[nodiscard]] std::string Loads() const {
    const auto obstacle = FindFileObstacle(host_.root(), KvmModule::kIntel, file_);
    return obstacle ? obstacle->seen + "; " + obstacle->step : "loads";
  }
  FakeHost host_{"intel_ple"};
  ModuleFile file_;
};

TEST_F(ModuleFileTest, TheLoadedOneIsTheSame) { EXPECT_EQ(Same(), "same"); }

TEST_F(ModuleFileTest, AnotherBuildOfTheSameKernelIsNot) {
  host_.Write("/lib/kvm-intel.ko", "\177ELF..." + BuildId('b') + "...");
  EXPECT_THAT(Same(), HasSubstr("another build"));
  EXPECT_THAT(Loads(), AllOf(HasSubstr("another build"), HasSubstr("reboot")));
}

TEST_F(ModuleFileTest, AnotherBuildThatIsPackedIsNot) {
  for (const auto& [program, extension] : {std::pair("xz", ".xz"), std::pair("gzip", ".gz")}) {
    const auto packed = host_.root().Path(std::string("/lib/kvm-intel.ko") + extension);
    file_.path = host_.root().Path("/lib/kvm-intel.ko");
    const std::string command =
        std::string(program) + " -c " + file_.path.string() + " > " + packed.string();
    ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c): a test's own words
    file_.path = packed;
    host_.Write("/sys/module/kvm_intel/notes/.note.gnu.build-id", BuildId('a'));
    EXPECT_EQ(Same(), "same");
    host_.Write("/sys/module/kvm_intel/notes/.note.gnu.build-id", BuildId('b'));
    EXPECT_THAT(Same(), HasSubstr("another build"));
  }
}

TEST_F(ModuleFileTest, AnotherSourceVersionIsNot) {
  host_.Write("/sys/module/kvm_intel/srcversion", "0123456789ABCDEF\n");
  EXPECT_EQ(Same(), "same");
  file_.srcversion = "FEDCBA9876543210";
  EXPECT_THAT(Same(), HasSubstr("srcversion FEDCBA9876543210, loaded is 0123456789ABCDEF"));
}

TEST_F(ModuleFileTest, OneOfAnotherKernelIsNot) {
  file_.vermagic = "6.1.0-99-amd64 SMP mod_unload ";
  EXPECT_THAT(Same(), HasSubstr("is for Linux 6.1.0-99-amd64"));
}

TEST_F(ModuleFileTest, WhereNothingTellsItIsTaken) {
  host_.Remove("/sys/module/kvm_intel/notes");
  EXPECT_EQ(Same(), "same");
}

TEST_F(ModuleFileTest, AnyIsLoadedWhereNothingIsRequired) { EXPECT_EQ(Loads(), "loads"); }

TEST_F(ModuleFileTest, AnUnsignedOneIsNotLoadedUnderLockdown) {
  for (const char* state :
       {"none [integrity] confidentiality", "none integrity [confidentiality]"}) {
    host_.Write("/sys/kernel/security/lockdown", state);
    file_.is_signed = false;
    EXPECT_THAT(Loads(), AllOf(HasSubstr("lockdown="), HasSubstr("has no signature")));
    file_.is_signed = true;
    EXPECT_EQ(Loads(), "loads");
  }
  file_.is_signed = false;
  host_.Write("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
  EXPECT_EQ(Loads(), "loads");
}

TEST_F(ModuleFileTest, AnUnsignedOneIsNotLoadedWhereSignaturesAreEnforced) {
  host_.Write("/sys/module/module/parameters/sig_enforce", "Y\n");
  EXPECT_THAT(Loads(), AllOf(HasSubstr("module.sig_enforce=Y"), HasSubstr("has no signature")));
  file_.is_signed = true;
  EXPECT_EQ(Loads(), "loads");
}

TEST_F(ModuleFileTest, ARecordingWithoutModulesSaysNothingOfThem) {
  EXPECT_FALSE(FindModuleFile(host_.root(), KvmModule::kIntel));
  EXPECT_FALSE(FindLoadObstacle(host_.root(), KvmModule::kIntel));
}

TEST(KmodLoader, ARecordedHostHasNone) {
  const auto loader = MakeKmodLoader(RecordedHost("intel_ple"));
  ASSERT_FALSE(loader);
  EXPECT_THAT(loader.error().message, HasSubstr("a recorded host cannot be changed"));
}

}  // namespace
}  // namespace plectl::host
