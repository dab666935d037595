// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLong(20'000);

ChildOptions Command(std::vector<std::string> argv) {
  ChildOptions options;
  options.argv = std::move(argv);
  return options;
}

TEST(Child, CapturesBothStreamsAndTheExitCode) {
  const auto output = RunChild(Command({"sh", "-c", "echo out; echo err >&2; exit 3"}), kLong);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_FALSE(output->exit.ok());
  EXPECT_EQ(output->exit.Text(), "exit code 3");
}

TEST(Child, PassesArgumentsWithoutAShell) {
  const auto output = RunChild(Command({"printf", "%s|", "a b", "$(id)", ";"}), kLong);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "a b|$(id)|;|");
}

TEST(Child, FeedsStandardInputAndEnvironment) {
  ChildOptions options = Command({"sh", "-c", "cat; printf $PLECTL_TEST"});
  options.standard_input = std::string(200'000, 'x');
  options.environment = {{"PLECTL_TEST", "yes"}};
  const auto output = RunChild(options, kLong);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, std::string(200'000, 'x') + "yes");
}

TEST(Child, MissingProgramIsAnErrorWithANextStep) {
  const auto output = RunChild(Command({"plectl-no-such-program"}), kLong);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(output.error().Text(), HasSubstr("install the program plectl-no-such-program"));
}

TEST(Child, IsKilledAtItsDeadlineWithItsGroup) {
  const auto output = RunChild(Command({"sh", "-c", "sleep 100 & sleep 100"}), milliseconds(50));
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().message, HasSubstr("did not end within 50 ms"));
}

TEST(Child, NamesTheSignalThatKilledIt) {
  const auto output = RunChild(Command({"sh", "-c", "kill -SEGV $$"}), kLong);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->exit.signal, SIGSEGV);
  EXPECT_EQ(output->exit.Text(), "signal 11 (Segmentation fault)");
}

TEST(Child, WritesToAnOutputFile) {
  const TempDir dir;
  ChildOptions options = Command({"sh", "-c", "echo a; echo b >&2; pwd"});
  options.output_file = dir.path() / "log";
  options.working_directory = "/";
  auto child = Child::Start(options);
  ASSERT_TRUE(child);
  const auto exit = child->Wait(kLong);
  ASSERT_TRUE(exit);
  ASSERT_TRUE(exit->has_value());
  EXPECT_TRUE((*exit)->ok());
  EXPECT_EQ(ReadFile(dir.path() / "log").value(), "a\nb\n/\n");
}

TEST(Child, WaitReportsThatItStillRuns) {
  auto child = Child::Start(Command({"sleep", "100"}));
  ASSERT_TRUE(child);
  const auto exit = child->Wait(milliseconds(1));
  ASSERT_TRUE(exit);
  EXPECT_FALSE(exit->has_value());
  child->Kill();
  EXPECT_FALSE(child->Wait(milliseconds(1)));
}

TEST(Child, FailureTextHoldsTheLastLineOfStderr) {
  const auto text =
      RunChildOrFail(Command({"sh", "-c", "echo first >&2; echo last >&2; exit 9"}), kLong);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("exit code 9: last"));
}

TEST(Child, RefusesEndlessOutput) {
  const auto output = RunChild(Command({"cat", "/dev/zero"}), kLong);
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().message, HasSubstr("more than 64 MiB"));
}

}  // namespace
}  // namespace plectl
