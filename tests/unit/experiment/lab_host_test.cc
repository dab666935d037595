// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/lab_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace plectl::experiment {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kText = "bochs-2.7,corei7_haswell_4770,ips=200000000,time0=1700000003";

json Host(json lab) { return {{"cpu", {{"model_name", "x"}}}, {"lab", std::move(lab)}}; }

json Object() {
  return {{"engine", "bochs-2.7"},
          {"cpu", "corei7_haswell_4770"},
          {"ips", 200'000'000},
          {"seed", 3},
          {"profile",
           {{"name", "skylake-client"}, {"pause_tsc_cycles", 140}, {"source", "Intel manual"}}},
          {"note", "time is instructions"}};
}

TEST(LabHost, ARealHostIsNoLab) {
  for (const json& host :
       {json::object(), json(), json("x"), Host(nullptr), Host({{"missing_because", "no file"}})}) {
    EXPECT_FALSE(IsLab(host)) << host;
    EXPECT_EQ(LabText(host), "");
    EXPECT_EQ(LabNote(host), "");
    EXPECT_TRUE(LabWithoutSeed(host).is_null());
    EXPECT_TRUE(LabWithSeed(host).is_null());
  }
}

TEST(LabHost, ReadsATextAndLeavesItsSeedOut) {
  EXPECT_TRUE(IsLab(Host(kText)));
  EXPECT_EQ(LabText(Host(kText)),
            "bochs-2.7, corei7_haswell_4770, ips=200000000; an emulator, not silicon");
  EXPECT_EQ(LabWithoutSeed(Host(kText)), "bochs-2.7,corei7_haswell_4770,ips=200000000");
  EXPECT_EQ(LabWithoutSeed(Host("bochs,seed=1,seed_delay=2,x")), "bochs,x");
  EXPECT_EQ(LabNote(Host(kText)), "");
}

TEST(LabHost, ReadsAnObjectAndItsProfile) {
  EXPECT_EQ(
      LabText(Host(Object())),
      "bochs-2.7, corei7_haswell_4770, ips=200000000, profile skylake-client: one PAUSE costs "
      "140 TSC cycles (source Intel manual); a profile on an emulator, not silicon");
  EXPECT_EQ(LabNote(Host(Object())), "time is instructions");
  json rest = Object();
  rest.erase("seed");
  EXPECT_EQ(LabWithoutSeed(Host(Object())), rest);
}

TEST(LabHost, TheSeedStaysWithoutHowItWasBroughtAbout) {
  json object = Object();
  object["seed_start"] = "snapshot";
  object["seed_snapshot"] = "abcd";
  object["seed_delay_tsc_cycles"] = 7;
  EXPECT_EQ(LabWithSeed(Host(object)), Object());
  EXPECT_EQ(LabWithSeed(Host(kText)), kText);
}

TEST(LabHost, AnObjectWithoutAProfileIsAnEmulatorToo) {
  json object = Object();
  object["profile"] = nullptr;
  object.erase("note");
  EXPECT_EQ(LabText(Host(object)),
            "bochs-2.7, corei7_haswell_4770, ips=200000000; an emulator, not silicon");
}

// Whatever a run log holds in its place.
TEST(LabHost, OddFormsStillSayThatItIsNoSilicon) {
  for (const json& lab : {json(7), json(true), json::array({1, "a"}), json::object(), json(""),
                          json({{"profile", 5}}), json({{"profile", {{"name", {1}}}}}),
                          json({{"engine", {{"deep", 1}}}, {"note", {1, 2}}})}) {
    EXPECT_TRUE(IsLab(Host(lab))) << lab;
    EXPECT_THAT(LabText(Host(lab)), HasSubstr("not silicon")) << lab;
    EXPECT_THAT(LabText(Host(lab)), Not(HasSubstr("deep")));
    EXPECT_EQ(LabNote(Host(lab)), "");
    EXPECT_EQ(LabWithoutSeed(Host(lab)), lab);
    EXPECT_EQ(LabWithSeed(Host(lab)), lab);
  }
}

}  // namespace
}  // namespace plectl::experiment
