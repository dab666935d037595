// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::metrics {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddress, IsOfThisMachineAloneUnlessAnAddressIsGiven) {
  const ListenAddress local{"127.0.0.1", 9464};
  for (const char* text : {"9464", ":9464", "localhost:9464", "127.0.0.1:9464"}) {
    const auto address = ParseListenAddress(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(*address, local) << text;
  }
}

TEST(ListenAddress, TakesNumericAddresses) {
  EXPECT_EQ(ParseListenAddress("0.0.0.0:1").value(), (ListenAddress{"0.0.0.0", 1}));
  EXPECT_EQ(ParseListenAddress("[::1]:65535").value(), (ListenAddress{"::1", 65535}));
  EXPECT_EQ(ParseListenAddress("[0:0::2]:0").value(), (ListenAddress{"::2", 0}));
}

TEST(ListenAddress, SaysItAsAUrlNeedsIt) {
  EXPECT_EQ((ListenAddress{"127.0.0.1", 9464}.Text()), "127.0.0.1:9464");
  EXPECT_EQ((ListenAddress{"::1", 9464}.Text()), "[::1]:9464");
}

TEST(ListenAddress, RefusesWhatIsNone) {
  for (const char* text : {"",
                           ":",
                           "host:",
                           "127.0.0.1",
                           "host:9464",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "1.2.3:9464",
                           "::1:9464",
                           "::1",
                           "[::1]",
                           "[::1:9464",
                           "::1]:9464",
                           "[127.0.0.1]:9464",
                           "[]:9464",
                           "127.0.0.1:9464s",
                           "127.0.0.1:9464,0.0.0.0:9465",
                           "0x7f.0.0.1:9464",
                           " :9464",
                           "+9464",
                           "[::1%lo]:9464",
                           "127.0.0.1 :9464",
                           "99999999999999999999"}) {
    const auto address = ParseListenAddress(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::kBadInput) << text;
    EXPECT_THAT(address.error().message, HasSubstr(text));
    EXPECT_THAT(address.error().hint, HasSubstr("127.0.0.1:9464"));
  }
}

}  // namespace
}  // namespace plectl::metrics
