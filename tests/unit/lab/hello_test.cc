// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

void Write(const TempDir& root, const std::string& path, std::string_view text) {
  const std::filesystem::path file = root.path() / path;
  ASSERT_TRUE(MakeDirectories(file.parent_path()));
  ASSERT_TRUE(WriteFileAtomically(file, text));
}

TEST(Hello, DescribesTheMachine) {
  const TempDir root;
  Write(root, "proc/sys/kernel/osrelease", "6.1.0-56-cloud-amd64\n");
  Write(root, "proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 1GHz\n");
  Write(root, "sys/module/kvm_amd/parameters/pause_filter_count", "3000\n");
  Write(root, "sys/module/kvm_amd/parameters/npt", "Y\n");
  const auto hello = DescribeMachine(HostRoot(root.path()));
  ASSERT_TRUE(hello) << hello.error().Text();
  EXPECT_EQ(hello->kernel_release, "6.1.0-56-cloud-amd64");
  EXPECT_EQ(hello->cpu_model, "Some CPU @ 1GHz");
  EXPECT_EQ(hello->kvm_module, "kvm_amd");
  EXPECT_THAT(hello->parameters, testing::ElementsAre(testing::Pair("npt", "Y"),
                                                      testing::Pair("pause_filter_count", "3000")));
}

TEST(Hello, WithoutAModule) {
  const TempDir root;
  Write(root, "proc/sys/kernel/osrelease", "6.1\n");
  Write(root, "proc/cpuinfo", "");
  const auto hello = DescribeMachine(HostRoot(root.path()));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->kvm_module, "");
  EXPECT_EQ(hello->cpu_model, "unknown");
}

TEST(Hello, WithoutProcIsAnError) {
  const TempDir root;
  EXPECT_FALSE(DescribeMachine(HostRoot(root.path())));
}

TEST(Hello, ComesBackFromJson) {
  const LabHello hello{"6.1", "CPU", "kvm_intel", {{"ple_gap", "128"}}};
  const auto back = HelloFromJson(HelloToJson(hello));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, hello);
}

TEST(Hello, CannotSteerTheTerminal) {
  const LabHello hello{"\x1b[2J", "a\rb", "\a", {{"n\n", "v\x1b"}}};
  const auto back = HelloFromJson(HelloToJson(hello));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, (LabHello{"?[2J", "a?b", "?", {{"n?", "v?"}}}));
}

TEST(Hello, BadJsonIsInconclusive) {
  for (const char* text : {"", "\x1b", "[]", "{}", R"({"kernel_release": 1})"}) {
    const auto hello = HelloFromJson(text);
    ASSERT_FALSE(hello) << text;
    EXPECT_EQ(hello.error().kind, ErrorKind::kInconclusive);
    EXPECT_EQ(hello.error().message.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace plectl::lab
