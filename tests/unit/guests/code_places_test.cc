// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/code_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/guests/payload_source.h"

namespace plectl::guests {
namespace {

TEST(CodePlaces, NamesAnAddressByTheSymbolThatHoldsIt) {
  const CodePlaces places({{0x2000, 0x10, "second"}, {0x1000, 0x20, "first"}, {0x3000, 0, "label"}},
                          {0x1004, 0x2002});
  EXPECT_EQ(places.NameOf(0x0fff), "");
  EXPECT_EQ(places.NameOf(0x1000), "first");
  EXPECT_EQ(places.NameOf(0x101f), "first+0x1f");
  EXPECT_EQ(places.NameOf(0x1020), "") << "behind its end";
  EXPECT_EQ(places.NameOf(0x2002), "second+0x2");
  EXPECT_EQ(places.NameOf(0x3007), "label+0x7") << "of unknown size";
  EXPECT_TRUE(places.IsRelaxSite(0x2002));
  EXPECT_FALSE(places.IsRelaxSite(0x2000));
  EXPECT_EQ(CodePlaces().NameOf(0x1000), "");
}

TEST(CodePlaces, EveryRelaxSiteOfTheBuiltInPayloadsHasAName) {
  const auto payloads = EmbeddedPayloads();
  ASSERT_TRUE(payloads);
  EXPECT_FALSE(payloads->relax_sites().empty());
  for (const uint64_t site : payloads->relax_sites()) {
    EXPECT_TRUE(payloads->places().IsRelaxSite(site));
    EXPECT_NE(payloads->places().NameOf(site), "") << site;
  }
}

}  // namespace
}  // namespace plectl::guests
