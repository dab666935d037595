// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/metrics_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/metrics/metrics_builder.h"
#include "host_tools/metrics/snapshot.h"

namespace plectl::metrics {
namespace {

using ::testing::HasSubstr;

Result<std::unique_ptr<MetricsServer>> StartOn(ListenAddress address) {
  ServerOptions options;
  options.address = std::move(address);
  return MetricsServer::Start(options, std::make_shared<Snapshot>());
}

TEST(MetricsServer, SaysWhichPortItGot) {
  const auto server = StartOn({});
  ASSERT_TRUE(server) << server.error().Text();
  EXPECT_NE((*server)->address().port, 0);
  EXPECT_EQ((*server)->Url(),
            "http://127.0.0.1:" + std::to_string((*server)->address().port) + "/metrics");
}

TEST(MetricsServer, SaysThatAPortIsInUse) {
  const auto server = StartOn({});
  ASSERT_TRUE(server) << server.error().Text();
  const auto second = StartOn((*server)->address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  EXPECT_THAT(second.error().hint, HasSubstr("another port"));
}

TEST(MetricsServer, SaysThatAnAddressIsOfAnotherMachine) {
  const auto server = StartOn({"203.0.113.7", 9464});  // TEST-NET-3
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(server.error().hint, HasSubstr("no such address"));
}

int Connect(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// Those who connect and say nothing are not cut off before a minute here: a scrape that had to wait
// for them would get no answer.
TEST(MetricsServer, AHundredIdleConnectionsDoNotKeepAScrapeWaiting) {
  ServerOptions options;
  options.request_timeout = std::chrono::minutes(1);
  const auto server = MetricsServer::Start(options, std::make_shared<Snapshot>());
  ASSERT_TRUE(server) << server.error().Text();
  std::vector<Fd> idle;
  for (int i = 0; i < 100; ++i) idle.emplace_back(Connect((*server)->address().port));
  const Fd scrape(Connect((*server)->address().port));
  constexpr std::string_view kRequest = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(::send(scrape.get(), kRequest.data(), kRequest.size(), 0),
            static_cast<ssize_t>(kRequest.size()));
  pollfd answer = {.fd = scrape.get(), .events = POLLIN, .revents = 0};
  constexpr int kBeforeTheIdleEndMs = 45000;
  ASSERT_EQ(::poll(&answer, 1, kBeforeTheIdleEndMs), 1);
  std::array<char, 16> start = {};
  ASSERT_GT(::recv(scrape.get(), start.data(), start.size() - 1, 0), 0);
  EXPECT_THAT(std::string(start.data()), HasSubstr("HTTP/1.1 200"));
  // The server's end waits for none of them.
  for (Fd& fd : idle) fd.Reset();
}

TEST(Snapshot, GivesWhatWasPublishedLast) {
  Snapshot snapshot;
  EXPECT_TRUE(snapshot.Collect().empty());
  for (const double value : {1.0, 2.0}) {
    MetricsBuilder builder;
    AddSample(builder.Gauge("a", ""), {}, value);
    snapshot.Publish(builder.Take());
  }
  ASSERT_EQ(snapshot.Collect().size(), 1U);
  EXPECT_EQ(snapshot.Collect()[0].metric[0].gauge.value, 2);
}

}  // namespace
}  // namespace plectl::metrics
