// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/same_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

Manifest OnHost() {
  Manifest manifest = SampleManifest();
  manifest.plan["params"] = {"ple_gap", "ple_window"};
  manifest.host["lab"] = nullptr;
  manifest.host["module"] = {
      {"name", "kvm_intel"},
      {"params", {{"ple_gap", "128"}, {"ple_window", "4096"}, {"ple_window_grow", "2"}}}};
  manifest.host["kvm_params"] = {{"halt_poll_ns", "200000"}};
  manifest.host["mitigations"] = {{"mds", "Vulnerable"}};
  manifest.host["smt"] = {{"active", "1"}, {"control", "on"}};
  manifest.host["governor"] = "performance";
  manifest.host["no_turbo"] = "1";
  manifest.host["clocksource"] = "tsc";
  manifest.host["cpus_online"] = "0-7";
  manifest.host["settings"] = {{"command_line", "quiet"}, {"cpu_quotas", "none"}};
  return manifest;
}

std::string Difference(const Manifest& before, const Manifest& now) {
  const Status same = CheckSameSettings(before, now);
  if (same) return "none";
  EXPECT_EQ(same.error().kind, ErrorKind::kBadInput);
  return same.error().message;
}

TEST(CheckSameSettings, EachThatDiffersIsNamed) {
  EXPECT_EQ(Difference(OnHost(), OnHost()), "none");
  for (const char* pointer :
       {"/module/params/ple_window_grow", "/kvm_params/halt_poll_ns", "/mitigations/mds",
        "/smt/active", "/smt/control", "/governor", "/no_turbo", "/clocksource", "/cpus_online",
        "/settings/command_line", "/settings/cpu_quotas"}) {
    Manifest now = OnHost();
    now.host[json::json_pointer(pointer)] = "other";
    const std::string difference = Difference(OnHost(), now);
    EXPECT_THAT(difference, HasSubstr(std::string(pointer).substr(1))) << pointer;
    EXPECT_THAT(difference, HasSubstr("here it is \"other\"")) << pointer;
  }
}

TEST(CheckSameSettings, WhatThePlanSetsMayDiffer) {
  Manifest now = OnHost();
  now.host["module"]["params"]["ple_window"] = "1024";  // a sweep that was killed left it so
  EXPECT_EQ(Difference(OnHost(), now), "none");
  now.plan.erase("params");
  now.host["module"]["params"]["ple_window_grow"] = "0";
  EXPECT_EQ(Difference(OnHost(), now), "none") << "an older plectl does not say what it sets";
}

TEST(CheckSameSettings, WhatIsNotKnownIsNotCompared) {
  for (const char* pointer : {"/governor", "/mitigations", "/settings/cpu_quotas"}) {
    Manifest now = OnHost();
    now.host[json::json_pointer(pointer)] = {{"missing_because", "no such file"}};
    EXPECT_EQ(Difference(OnHost(), now), "none") << pointer;
    EXPECT_EQ(Difference(now, OnHost()), "none") << pointer;
  }
  Manifest old = OnHost();
  old.host.erase("settings");
  EXPECT_EQ(Difference(old, OnHost()), "none");
  old.host = {{"module", 7}, {"settings", "text"}, {"smt", json::array({1})}};
  EXPECT_EQ(Difference(old, OnHost()), "none") << "logs come from outside";
}

TEST(CheckSameSettings, ALabMayBeBootedOrResumed) {
  Manifest before = OnHost();
  before.host["lab"] = {{"engine", "bochs-2.7"}, {"cpu", "haswell"}};
  Manifest now = before;
  now.host["settings"]["command_line"] = "quiet plectl.snapshot";
  EXPECT_EQ(Difference(before, now), "none");
}

}  // namespace
}  // namespace plectl::experiment
