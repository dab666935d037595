// SPDX-License-Identifier: Apache-2.0
// What makes a daemon: signals, systemd, capabilities.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <latch>
#include <thread>

#include "host_tools/base/fd.h"
#include "host_tools/monitor/privileges.h"
#include "host_tools/monitor/service_notify.h"
#include "host_tools/monitor/signals.h"

namespace plectl::monitor {
namespace {

// What `body` returns in a process of its own.
template <class Body>
int InChild(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// systemd's end of a NOTIFY_SOCKET.
class Systemd {
 public:
  explicit Systemd(std::string path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    if (path.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  std::string Receive() {
    std::array<char, 100> text = {};
    const ssize_t bytes = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return {text.data(), bytes < 0 ? 0 : static_cast<size_t>(bytes)};
  }

 private:
  Fd socket_;
};

TEST(ServiceNotify, IsSilentWithoutSystemd) {
  EXPECT_TRUE(ServiceNotify("", std::nullopt).Send("READY=1"));
}

TEST(ServiceNotify, TellsSystemdByAPathOrAnAbstractName) {
  std::string folder = (std::filesystem::temp_directory_path() / "plectl-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  for (const std::string& path :
       {folder + "/notify", "@plectl-test-" + std::to_string(::getpid())}) {
    Systemd systemd(path);
    EXPECT_TRUE(ServiceNotify(path, std::nullopt).Send("READY=1"));
    EXPECT_EQ(systemd.Receive(), "READY=1");
  }
  std::filesystem::remove_all(folder);
}

TEST(ServiceNotify, SaysWhenSystemdIsAway) {
  EXPECT_FALSE(ServiceNotify("/nowhere/notify", std::nullopt).Send("READY=1"));
  EXPECT_FALSE(ServiceNotify(std::string(200, 'x'), std::nullopt).Send("READY=1"));
}

TEST(ServiceNotify, KnowsTheWatchdogFromTheEnvironment) {
  EXPECT_EQ(InChild([] {
              ::setenv("WATCHDOG_USEC", "30000000", 1);
              const auto watchdog = ServiceNotify::FromEnvironment().watchdog();
              return watchdog == std::chrono::seconds(30) ? 0 : 1;
            }),
            0);
}

TEST(Signals, AreWaitedForAndDoNotEndTheProcess) {
  EXPECT_EQ(InChild([] {
              auto signals = Signals::Block();
              if (!signals || signals->Wait(std::chrono::milliseconds(1))) return 1;
              ::raise(SIGHUP);
              return signals->Wait(std::chrono::seconds(5)) == SIGHUP ? 0 : 2;
            }),
            0);
}

TEST(Privileges, AreGivenUpForGood) {
  EXPECT_EQ(InChild([] {
              const uint64_t had = EffectiveCapabilities().value();
              if (!KeepOnlyCapabilities({CAP_NET_RAW, CAP_BPF})) return 1;
              const uint64_t kept = (uint64_t{1} << CAP_NET_RAW) | (uint64_t{1} << CAP_BPF);
              if (EffectiveCapabilities().value() != (had & kept)) return 2;
              if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 3;
              // The bounding set needs CAP_SETPCAP.
              if ((had >> CAP_SETPCAP & 1) == 0) return 0;
              for (int capability = 0; capability <= CAP_BPF; ++capability) {
                if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 0) return 4;
              }
              return 0;
            }),
            0);
}

// Also the threads that there are already, as those of the server are.
TEST(Privileges, RootBecomesNobodyAndKeepsOnlyWhatIsUsed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can";
  EXPECT_EQ(InChild([] {
              const uint64_t had = EffectiveCapabilities().value();
              if (!KeepOnlyCapabilities({CAP_BPF, CAP_SETUID, CAP_SETGID})) return 1;
              uint64_t of_other = 1;
              std::latch is_nobody(1);
              std::thread other([&] {
                is_nobody.wait();
                of_other = EffectiveCapabilities().value() + ::geteuid();
              });
              const bool became = BecomeNobody({CAP_BPF}).has_value();
              is_nobody.count_down();
              other.join();
              if (!became || ::geteuid() != 65534 || ::getegid() != 65534) return 2;
              if (EffectiveCapabilities().value() != (had & uint64_t{1} << CAP_BPF)) return 3;
              return of_other == 65534 ? 0 : 4;
            }),
            0);
}

}  // namespace
}  // namespace plectl::monitor
