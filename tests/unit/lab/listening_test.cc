// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/listening.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host_tools/base/fd.h"

namespace plectl::lab {
namespace {

constexpr std::string_view kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 00000000:170C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "4711 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:170D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "4712 1 0000000000000000 100 0 0 10 0\n"
    "   2: 0100007F:170C 0100007F:8001 01 00000000:00000000 00:00000000 00000000     0        0 "
    "4713 1 0000000000000000 20 4 30 10 -1\n"
    "   3: nonsense\n";

TEST(ParseListeningSockets, TakesOnlyThoseThatListen) {
  const auto sockets = ParseListeningSockets(kTable);
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(sockets[0].port, 5900);
  EXPECT_EQ(sockets[0].inode, 4711U);
  EXPECT_EQ(sockets[1].port, 5901);
}

TEST(ListeningSocketsOf, ThisProcess) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto sockets = ListeningSocketsOf(HostRoot(), ::getpid());
  ASSERT_TRUE(sockets) << sockets.error().Text();
  ASSERT_EQ(sockets->size(), 1U);
  EXPECT_EQ(sockets->front().port, ::ntohs(address.sin_port));
}

TEST(ListeningSocketsOf, AProcessThatIsNotThere) {
  EXPECT_FALSE(ListeningSocketsOf(HostRoot(PLECTL_FIXTURES), 1));
}

}  // namespace
}  // namespace plectl::lab
