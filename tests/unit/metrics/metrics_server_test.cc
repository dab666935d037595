// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/metrics_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
