// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/display.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "host_tools/base/file.h"

namespace plectl::lab {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

// The other end of a connection: sends `greeting`, then collects until the end.
class Peer {
 public:
  explicit Peer(std::string greeting) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    ours_ = Fd(pair[0]);
    thread_ = std::thread([this, greeting = std::move(greeting), fd = Fd(pair[1])] {
      EXPECT_TRUE(WriteAll(fd.get(), greeting));
      ::shutdown(fd.get(), SHUT_WR);
      std::array<char, 4096> buffer{};
      ssize_t count = 0;
      while ((count = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
        received_.append(buffer.data(), static_cast<size_t>(count));
      }
    });
  }
  Fd TakeConnection() { return std::move(ours_); }
  std::string Received() {
    thread_.join();
    return received_;
  }

 private:
  Fd ours_;
  std::string received_;
  std::thread thread_;
};

std::string Greeting(uint16_t width) {
  std::string init(24, '\0');
  init[0] = static_cast<char>(width >> 8);
  init[1] = static_cast<char>(width & 0xff);
  init[23] = 5;
  return "RFB 003.003\n" + "\0\0\0\1"s + init + "Bochs";
}

TEST(Display, PressesTheButtonAndTypesTheName) {
  Peer peer(Greeting(720));
  {
    auto display = Display::Open(peer.TakeConnection());
    ASSERT_TRUE(display) << display.error().Text();
    ASSERT_TRUE(display->SaveState("st"));
  }
  const auto key = [](const std::string& symbol) {
    return "\4\1\0\0"s + symbol + "\4\0\0\0"s + symbol;
  };
  // x = 720 - 48 = 0x2a0, y = 10; then the keys 's', 't', Return, Return.
  EXPECT_EQ(peer.Received(), "RFB 003.003\n\1"s + "\5\0\2\xa0\0\n"s + "\5\1\2\xa0\0\n"s +
                                 "\5\0\2\xa0\0\n"s + key("\0\0\0s"s) + key("\0\0\0t"s) +
                                 key("\0\0\xff\x0d"s) + key("\0\0\xff\x0d"s));
}

TEST(Display, RefusesWhatIsNoDisplay) {
  Peer web("HTTP/1.1 400 Bad Request\r\n");
  const auto display = Display::Open(web.TakeConnection());
  ASSERT_FALSE(display);
  EXPECT_THAT(display.error().message, HasSubstr("not the emulator's display"));
  web.Received();
}

TEST(Display, SaysWhenTheConnectionEnds) {
  Peer peer("RFB 003.003\n\0\0"s);
  const auto display = Display::Open(peer.TakeConnection());
  ASSERT_FALSE(display);
  EXPECT_THAT(display.error().message, HasSubstr("closed the connection"));
  peer.Received();
}

TEST(ConnectAsSeenBy, ReachesAListenerOfThisProcess) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto connection = ConnectAsSeenBy(::getpid(), ::ntohs(address.sin_port));
  ASSERT_TRUE(connection) << connection.error().Text();
  ASSERT_TRUE(WriteAll(connection->get(), "x"));
}

TEST(ConnectAsSeenBy, SaysThatNobodyListens) {
  const auto connection = ConnectAsSeenBy(::getpid(), 1);
  ASSERT_FALSE(connection);
  EXPECT_THAT(connection.error().message, HasSubstr("port 1: Connection refused"));
}

}  // namespace
}  // namespace plectl::lab
