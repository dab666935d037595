// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/child.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Ne;

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

TEST(Child, ItsEnvironmentReplacesOurs) {
  ::setenv("PLECTL_TEST_TWICE", "ours", 1);
  ChildOptions options = Command({"sh", "-c", "env | grep PLECTL_TEST_TWICE"});
  options.environment = {{"PLECTL_TEST_TWICE", "theirs"}};
  const auto output = RunChild(options, kLong);
  ::unsetenv("PLECTL_TEST_TWICE");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "PLECTL_TEST_TWICE=theirs\n");
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
  EXPECT_THAT(output.error().message,
              AllOf(HasSubstr("sh was killed, since it did not end within 50 ms; it took "),
                    HasSubstr(" s (user "), HasSubstr(" MiB")));
}

TEST(Child, NamesTheSignalThatKilledIt) {
  const auto output = RunChild(Command({"sh", "-c", "kill -SEGV $$"}), kLong);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->exit.signal, SIGSEGV);
  EXPECT_EQ(output->exit.Text(), "SIGSEGV (Segmentation fault)");
}

TEST(Child, ReportsWhatItUsed) {
  // 64 MiB and some 200 ms of user time, in any shell's tail.
  const auto output =
      RunChild(Command({"sh", "-c", "head -c 67108864 /dev/zero | tail | wc -c"}), kLong);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "67108864\n");
  const ChildUsage& usage = output->exit.usage;
  EXPECT_GT(usage.wall_ns, 0);
  EXPECT_GT(usage.user_ns + usage.system_ns, 0);
  EXPECT_LE(usage.user_ns + usage.system_ns, 3 * usage.wall_ns);  // three processes
  EXPECT_GT(usage.peak_memory_bytes, uint64_t{64} << 20);
  EXPECT_LT(usage.peak_memory_bytes, uint64_t{1} << 30);
}

TEST(Child, AnOverEagerOneMeetsItsMemoryLimit) {
  ChildOptions options =
      Command({"sh", "-c", "head -c 67108864 /dev/zero | tail | wc -c >&2; exit 7"});
  EXPECT_EQ(RunChild(options, kLong).value().err, "67108864\n");
  options.memory_limit_bytes = uint64_t{48} << 20;
  const auto failure = RunChildOrFail(options, kLong);
  ASSERT_FALSE(failure);
  EXPECT_THAT(
      failure.error().message,
      AnyOf(HasSubstr("exit code 7 (each process may map 48 MiB of memory, RLIMIT_AS, since "),
            HasSubstr("it used more than its limit of 48 MiB (cgroup v2")));
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

// Never taken for exit code 0: here the kernel reaps the child itself.
TEST(Child, AnEndThatNobodyCanTellIsAnError) {
  const auto old = ::signal(SIGCHLD, SIG_IGN);
  auto child = Child::Start(Command({"false"}));
  ASSERT_TRUE(child);
  const auto exit = child->Wait(kLong);
  ::signal(SIGCHLD, old);
  ASSERT_FALSE(exit);
  EXPECT_THAT(exit.error().message, HasSubstr("wait4"));
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

// What there is to read until the last writer is gone; at most one pipe's worth.
std::string ReadToEnd(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (pollfd poll_fd{fd, POLLIN, 0}; ::poll(&poll_fd, 1, 20'000) == 1;) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  return text + " [no end]";
}

ChildExit ExitOf(Child& child) {
  const auto exit = child.Wait(kLong);
  if (exit && *exit) return **exit;
  ADD_FAILURE() << "the child did not end";
  return {-1, 0, {}};
}

TEST(ChildFork, ReturnsTheExitCodeAndBothStreams) {
  auto child = Child::Fork(Command({"copy"}), [] {
    std::fputs("out", stdout);  // not flushed: that is Fork()'s part
    std::fputs("err", stderr);
    return 7;
  });
  ASSERT_TRUE(child) << child.error().Text();
  EXPECT_EQ(ReadToEnd(child->stdout_fd()), "out");
  EXPECT_EQ(ReadToEnd(child->stderr_fd()), "err");
  EXPECT_EQ(ExitOf(*child).Text(), "exit code 7");
}

TEST(ChildFork, DoesNotWriteOurUnwrittenOutputAgain) {
  std::fputs("[ ours     ] ", stdout);
  auto child = Child::Fork(Command({"copy"}), [] { return 0; });
  std::fputs("\n", stdout);
  ASSERT_TRUE(child);
  EXPECT_EQ(ReadToEnd(child->stdout_fd()), "");
  EXPECT_TRUE(ExitOf(*child).ok());
}

TEST(ChildFork, HasItsOwnEnvironmentDirectoryAndInput) {
  const TempDir dir;
  ChildOptions options = Command({"copy"});
  options.environment = {{"PLECTL_TEST", "yes"}, {"HOME", "/theirs"}};
  options.working_directory = dir.path();
  options.standard_input = "input";
  auto child = Child::Fork(options, [] {
    std::fputs((ReadToEnd(0) + ' ' + std::getenv("PLECTL_TEST") + ' ' + std::getenv("HOME") + ' ' +
                std::filesystem::current_path().string())
                   .c_str(),
               stdout);
    return 0;
  });
  ASSERT_TRUE(child);
  EXPECT_EQ(ReadToEnd(child->stdout_fd()),
            "input yes /theirs " + std::filesystem::canonical(dir.path()).string());
  EXPECT_TRUE(ExitOf(*child).ok());
  EXPECT_EQ(std::getenv("PLECTL_TEST"), nullptr);
}

TEST(ChildFork, AWorkingDirectoryThatIsNotThereIsAnError) {
  ChildOptions options = Command({"copy"});
  options.working_directory = "/nonexistent";
  EXPECT_FALSE(Child::Fork(options, [] { return 0; }));
}

int SleepForEver() {
  while (true) ::pause();
}

TEST(ChildFork, IsKilledWithItsObject) {
  pid_t pid = -1;
  {
    auto child = Child::Fork(Command({"copy"}), SleepForEver);
    ASSERT_TRUE(child);
    pid = child->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ChildFork, DiesWithTheProcessThatStartedIt) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    auto child = Child::Fork(Command({"copy"}), SleepForEver);
    ::_exit(child ? 0 : 1);  // no destructor runs
  }
  ::close(pipe[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ReadToEnd(pipe[0]), "");  // ends when the child, which has the write end, is gone
  ::close(pipe[0]);
}

// 0 when a connection to a socket of this process works over 127.0.0.1.
int ConnectToSelf() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0) return 2;
  if (::getsockname(listener, generic, &size) != 0) return 3;
  return ::connect(client, generic, size) == 0 && ::accept(listener, nullptr, nullptr) >= 0 ? 0 : 4;
}

std::string OwnNetwork() { return std::filesystem::read_symlink("/proc/self/ns/net").string(); }

TEST(ChildFork, ANetworkNamespaceHasALoopbackThatWorks) {
  if (!NetworkNamespacesAllowed()) GTEST_SKIP() << "network namespaces are not allowed here";
  ChildOptions options = Command({"copy"});
  options.new_network_namespace = true;
  auto child = Child::Fork(options, [] {
    std::fputs(OwnNetwork().c_str(), stdout);
    return ConnectToSelf();
  });
  ASSERT_TRUE(child) << child.error().Text();
  EXPECT_THAT(ReadToEnd(child->stdout_fd()), AllOf(HasSubstr("net:["), Ne(OwnNetwork())));
  EXPECT_EQ(ExitOf(*child).Text(), "exit code 0");
}

TEST(NetworkNamespaces, AskingLeavesThisProcessInItsOwn) {
  const std::string before = OwnNetwork();
  EXPECT_EQ(NetworkNamespacesAllowed(), NetworkNamespacesAllowed());
  EXPECT_EQ(OwnNetwork(), before);
}

TEST(NetworkNamespaces, WhereTheyAreForbiddenAChildInOneFails) {
  if (NetworkNamespacesAllowed()) GTEST_SKIP() << "network namespaces are allowed here";
  ChildOptions options = Command({"true"});
  options.new_network_namespace = true;
  EXPECT_FALSE(Child::Start(options));
}

}  // namespace
}  // namespace plectl
