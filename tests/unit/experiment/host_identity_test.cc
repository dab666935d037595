// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/host_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kSeed0 = "bochs-2.7,corei7_haswell_4770,ips=200000000,time0=1700000000";
constexpr const char* kSeed1 = "bochs-2.7,corei7_haswell_4770,ips=200000000,time0=1700000001";

Manifest OnLab(json lab) {
  Manifest manifest = SampleManifest();
  manifest.host["kernel"] = {{"release", "6.1"}, {"build", "#1"}};
  manifest.host["lab"] = std::move(lab);
  return manifest;
}

json LabObject(uint64_t seed) {
  return {{"engine", "bochs-2.7"}, {"cpu", "haswell"},           {"seed", seed},
          {"seed_delay_tsc", 7},   {"profile", {{"name", "a"}}}, {"ips", 5}};
}

std::string Difference(const Manifest& before, const Manifest& now, LabSeedRule rule) {
  const Status same = CheckSameHost(before, now, rule);
  if (same) return "none";
  EXPECT_EQ(same.error().kind, ErrorKind::kBadInput);
  return same.error().message;
}

TEST(CheckSameHost, AcceptsTheSameHostWhateverTheRule) {
  for (const LabSeedRule rule : {LabSeedRule::kSame, LabSeedRule::kMayDiffer}) {
    EXPECT_EQ(Difference(SampleManifest(), SampleManifest(), rule), "none");
    EXPECT_EQ(Difference(OnLab(kSeed0), OnLab(kSeed0), rule), "none");
    EXPECT_EQ(Difference(OnLab(LabObject(1)), OnLab(LabObject(1)), rule), "none");
  }
}

TEST(CheckSameHost, AnotherSeedIsAnotherHostUnlessThePlanHasSeeds) {
  EXPECT_THAT(Difference(OnLab(kSeed0), OnLab(kSeed1), LabSeedRule::kSame), HasSubstr("time0"));
  EXPECT_THAT(Difference(OnLab(LabObject(1)), OnLab(LabObject(2)), LabSeedRule::kSame),
              HasSubstr("seed"));
  EXPECT_EQ(Difference(OnLab(kSeed0), OnLab(kSeed1), LabSeedRule::kMayDiffer), "none");
  EXPECT_EQ(Difference(OnLab(LabObject(1)), OnLab(LabObject(2)), LabSeedRule::kMayDiffer), "none");
}

TEST(CheckSameHost, AnotherSchedulerIsAnotherHostWhereBothAreKnown) {
  const auto with = [](const char* key, const json& value) {
    Manifest manifest = SampleManifest();
    manifest.host["scheduler"] = {{key, value}};
    return manifest;
  };
  const auto rule = LabSeedRule::kSame;
  for (const char* key : {"forfeits_on_yield", "hrtick", "flat_pick", "sched_ext"}) {
    EXPECT_THAT(Difference(with(key, "yes"), with(key, "no"), rule), HasSubstr(key));
    EXPECT_EQ(Difference(with(key, "yes"), with(key, "yes"), rule), "none");
    EXPECT_EQ(Difference(with(key, "yes"), with(key, "unknown: not root"), rule), "none");
    EXPECT_EQ(Difference(with(key, "yes"), SampleManifest(), rule), "none");
  }
  EXPECT_THAT(Difference(with("base_slice_ns", 700000), with("base_slice_ns", 2800000), rule),
              HasSubstr("base_slice_ns"));
  EXPECT_EQ(Difference(with("forfeits_because", "measured 1"), with("forfeits_because", "2"), rule),
            "none");
}

TEST(CheckSameHost, ARunMayGoOnInALabThatStartedOtherwise) {
  json resumed = LabObject(1);
  resumed["seed_start"] = "snapshot";
  resumed["seed_snapshot"] = "abcd";
  resumed["seed_delay_tsc"] = 9;
  json cold = LabObject(1);
  cold["seed_start"] = "cold";
  cold["seed_snapshot"] = nullptr;
  for (const LabSeedRule rule : {LabSeedRule::kSame, LabSeedRule::kMayDiffer}) {
    EXPECT_EQ(Difference(OnLab(resumed), OnLab(cold), rule), "none");
    EXPECT_EQ(Difference(OnLab(cold), OnLab(LabObject(1)), rule), "none");
  }
  cold["seed"] = 2;
  EXPECT_THAT(Difference(OnLab(resumed), OnLab(cold), LabSeedRule::kSame), HasSubstr("lab was"));
}

TEST(CheckSameHost, WithAnySeedTheRestOfTheLabMustAgree) {
  for (const char* other : {"bochs-2.8,corei7_haswell_4770,ips=200000000,time0=1700000000",
                            "bochs-2.7,ryzen,ips=200000000,time0=1700000000",
                            "bochs-2.7,corei7_haswell_4770,ips=100000000,time0=1700000000"}) {
    EXPECT_NE(Difference(OnLab(kSeed0), OnLab(other), LabSeedRule::kMayDiffer), "none") << other;
  }
  for (const char* key : {"engine", "cpu", "ips", "profile"}) {
    json other = LabObject(1);
    other[key] = "other";
    EXPECT_NE(Difference(OnLab(LabObject(1)), OnLab(other), LabSeedRule::kMayDiffer), "none")
        << key;
  }
  EXPECT_NE(Difference(OnLab(kSeed0), OnLab(LabObject(0)), LabSeedRule::kMayDiffer), "none");
  EXPECT_NE(Difference(OnLab(kSeed0), OnLab(nullptr), LabSeedRule::kMayDiffer), "none");
  Manifest kernel = OnLab(kSeed1);
  kernel.host["kernel"]["release"] = "6.12";
  EXPECT_THAT(Difference(OnLab(kSeed0), kernel, LabSeedRule::kMayDiffer), HasSubstr("6.12"));
}

TEST(CheckSameHost, ObserversMustAgree) {
  Manifest other = SampleManifest();
  other.observers = {"perf-exit"};
  EXPECT_THAT(Difference(SampleManifest(), other, LabSeedRule::kSame), HasSubstr("perf-exit"));
}

std::string DifferenceFrom(const Manifest& before, const json& described, LabSeedRule rule) {
  const Status same = CheckSameHost(before, described, rule);
  return same ? "none" : same.error().message;
}

TEST(CheckSameHost, OfAHostNotYetStartedOnlyWhatIsKnownIsCompared) {
  Manifest before = OnLab(LabObject(1));
  before.host["lab"]["note"] = "an emulator";
  const auto rule = LabSeedRule::kSame;
  json described = {{"kernel", {{"release", "6.1"}}},
                    {"lab", {{"engine", "bochs-2.7"}, {"cpu", "haswell"}, {"seed", 1}}}};
  EXPECT_EQ(DifferenceFrom(before, described, rule), "none");
  described["lab"]["cpu"] = "ryzen";
  EXPECT_THAT(DifferenceFrom(before, described, rule), HasSubstr("lab was"));
  described["lab"] = {{"seed", 2}};
  EXPECT_THAT(DifferenceFrom(before, described, rule), HasSubstr("lab was"));
  EXPECT_EQ(DifferenceFrom(before, described, LabSeedRule::kMayDiffer), "none");
  described["kernel"]["release"] = "7.3";
  EXPECT_THAT(DifferenceFrom(before, described, LabSeedRule::kMayDiffer), HasSubstr("7.3"));
}

TEST(CheckSameHost, AKeyThatTheLabDoesNotHaveIsADifference) {
  Manifest before = OnLab(LabObject(1));
  before.host["lab"]["profile"] = nullptr;
  const json described = {{"lab", {{"kernel_arguments", nullptr}, {"profile", nullptr}}}};
  EXPECT_EQ(DifferenceFrom(before, described, LabSeedRule::kSame), "none");
  before.host["lab"]["kernel_arguments"] = "nohz_full=1";
  EXPECT_THAT(DifferenceFrom(before, described, LabSeedRule::kSame), HasSubstr("nohz_full=1"));
}

TEST(CheckSameHost, TheLabIsNoRealHost) {
  const json described = {{"lab", {{"engine", "bochs-2.7"}}}};
  EXPECT_THAT(DifferenceFrom(SampleManifest(), described, LabSeedRule::kSame),
              HasSubstr("lab was no lab"));
  EXPECT_THAT(DifferenceFrom(OnLab(LabObject(1)), json{{"lab", nullptr}}, LabSeedRule::kSame),
              HasSubstr("here it is no lab"));
}

}  // namespace
}  // namespace plectl::experiment
