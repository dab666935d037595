// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/trial_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string ErrorOf(const json& object) {
  const Result<TrialRecord> trial = TrialFromJson(object);
  return trial ? "no error" : trial.error().message;
}

TEST(TrialRecord, HasTheKeysOfTheContract) {
  const json object = ToJson(SampleTrial());
  EXPECT_EQ(object["kind"], "trial");
  EXPECT_EQ(object["id"], "0123456789abcdef");
  EXPECT_EQ(object["arm"], "pause");
  EXPECT_EQ(object["params"], json({{"ple_gap", 128}, {"ple_window", 4096}}));
  EXPECT_EQ(object["workload"]["payload"], "ttas");
  EXPECT_EQ(object["workload"]["cpus"], json({0, 5}));
  EXPECT_EQ(object["workload"]["scheduling"], "fifo");
  EXPECT_EQ(object["workload"]["interrupts_off"], "holding");
  EXPECT_EQ(object["pause_exits"], 701);
  EXPECT_EQ(object["exits"]["PAUSE_INSTRUCTION"], 701);
  EXPECT_EQ(object["window_updates"], 20);
  EXPECT_EQ(object["throughput_per_s"], 123'456.789);
  EXPECT_EQ(object["vcpus"].size(), 2U);
  EXPECT_EQ(object["vcpus"][0]["tsc_end"], UINT64_MAX);
  EXPECT_EQ(object["vcpus"][0]["wait_histogram"], json({{1, 19'999}, {12, 1}}));
  EXPECT_FALSE(object["vcpus"][1].contains("wait_histogram"));
  EXPECT_EQ(object["fairness_jain"], 0.875);
  EXPECT_EQ(object["wait_tsc_cycles"], json({{"p50", 1}, {"p99", 2}, {"p99_9", 3}, {"max", 12}}));
  EXPECT_EQ(object["timings"]["own_ns"], 5);
  EXPECT_EQ(object["valid"], true);
  EXPECT_FALSE(object.contains("invalid_because"));
}

TEST(TrialRecord, ComesBackUnchanged) {
  TrialRecord trial = SampleTrial();
  trial.params["odd"] = "007";  // no number that would come back as it is
  trial.window_updates = Count::Missing("perf cannot see them");
  const json object = ToJson(trial);
  const Result<TrialRecord> read = TrialFromJson(object);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(ToJson(*read), object);
  EXPECT_EQ(read->params, trial.params);
  EXPECT_EQ(read->window_updates, trial.window_updates);
  EXPECT_EQ(read->vcpus[1].kvm_exits, Count::Missing("not read"));
}

TEST(TrialRecord, OfBeforeTheWaitHistogramsIsRead) {
  json object = ToJson(SampleTrial());
  object.erase("fairness_jain");
  object.erase("wait_tsc_cycles");
  object["vcpus"][0].erase("wait_histogram");
  const Result<TrialRecord> old = TrialFromJson(object);
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_FALSE(old->fairness_jain);
  EXPECT_FALSE(old->waits);
  EXPECT_EQ(ToJson(*old), object);
}

TEST(TrialRecord, DefaultsOfLaterWorkloadFieldsAreLeftOut) {
  TrialRecord trial = SampleTrial();
  trial.workload = {};
  trial.workload.cpus = {0};
  json workload = ToJson(trial)["workload"];
  for (const char* key : {"hold_distribution", "think_distribution", "random_seed", "relax_repeat",
                          "interrupts_off", "duration_tsc_cycles"}) {
    EXPECT_FALSE(workload.contains(key)) << key;
  }
  EXPECT_EQ(workload["iterations"], 1);
  trial.workload.iterations = 0;
  trial.workload.duration_tsc_cycles = 9;
  workload = ToJson(trial)["workload"];
  EXPECT_FALSE(workload.contains("iterations"));
  EXPECT_EQ(TrialFromJson(ToJson(trial))->workload.duration_tsc_cycles, 9U);
  EXPECT_EQ(TrialFromJson(ToJson(trial))->workload.iterations, 0U);
}

TEST(TrialRecord, HoldsTheNoiseByGroup) {
  const TrialRecord trial = SampleTrial();
  const json noise = ToJson(trial)["noise"];
  EXPECT_EQ(noise["window_ns"], 1'234'567);
  EXPECT_EQ(noise["vmstat"]["pgscan_kswapd"], 100);
  EXPECT_EQ(noise["frequency"]["smis"], json({{"missing_because", "no perf"}}));
  EXPECT_EQ(noise["cgroup"], json({{"missing_because", "no cgroups"}})) << "all of it is missing";
  EXPECT_EQ(noise["top_irqs"][0], json({{"name", "24 nvme0q1"}, {"fired", 7}}));
  const TrialRecord read = TrialFromJson(ToJson(trial)).value();
  ASSERT_TRUE(read.noise);
  EXPECT_EQ(*read.noise, *trial.noise);
}

TEST(TrialRecord, OfBeforeTheNoiseWatchIsRead) {
  json object = ToJson(SampleTrial());
  object.erase("noise");
  const Result<TrialRecord> old = TrialFromJson(object);
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_FALSE(old->noise);
  EXPECT_EQ(old->disturbed_because, "");
  EXPECT_EQ(ToJson(*old), object);
}

TEST(TrialRecord, NoiseOfAnotherPlectlIsReadAsFarAsItIsKnown) {
  json object = ToJson(SampleTrial());
  object["noise"]["vmstat"].erase("oom_kill");
  object["noise"]["vmstat"]["new"] = 5;
  object["noise"]["newer"] = {{"x", 1}};
  object["noise"].erase("irqs");
  const Result<TrialRecord> read = TrialFromJson(object);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(read->noise->counts[host::NoiseQuantity::kOomKill].has_value());
  EXPECT_FALSE(read->noise->counts[host::NoiseQuantity::kTlbIrqs].has_value());
  EXPECT_EQ(read->noise->counts[host::NoiseQuantity::kPgscanKswapd], Count(100));
}

TEST(TrialRecord, ADisturbedOneSaysWhy) {
  TrialRecord trial = SampleTrial();
  EXPECT_FALSE(ToJson(trial).contains("disturbed_because"));
  trial.disturbed_because = "allocations stalled; 9";
  EXPECT_EQ(ToJson(trial)["disturbed_because"], "allocations stalled; 9");
  EXPECT_EQ(TrialFromJson(ToJson(trial))->disturbed_because, "allocations stalled; 9");
  EXPECT_FALSE(trial.repeated_as_disturbed());
  trial.invalid_because = "disturbed: allocations stalled; 9";
  EXPECT_TRUE(TrialFromJson(ToJson(trial))->repeated_as_disturbed());
  EXPECT_FALSE(InvalidTrial("a", "the observers disagree").repeated_as_disturbed());
}

TEST(TrialRecord, NamesItsLabSeedWhenItHasOne) {
  TrialRecord trial = SampleTrial();
  EXPECT_FALSE(ToJson(trial).contains("lab_seed"));
  EXPECT_FALSE(TrialFromJson(ToJson(trial)).value().lab_seed);
  for (const uint64_t seed : {uint64_t{0}, kLabSeedMax}) {
    trial.lab_seed = seed;
    EXPECT_EQ(ToJson(trial)["lab_seed"], seed);
    EXPECT_EQ(TrialFromJson(ToJson(trial)).value().lab_seed, seed);
  }
}

// Logs from before interrupts_off do not have it, and ids are made of the JSON.
TEST(TrialRecord, InterruptsOffIsLeftOutWhenItIsNever) {
  json object = ToJson(SampleTrial());
  object["workload"].erase("interrupts_off");
  const Result<TrialRecord> old = TrialFromJson(object);
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->workload.interrupts_off, guests::InterruptsOff::kNever);
  EXPECT_EQ(ToJson(*old), object);
  object["workload"]["interrupts_off"] = "locking";
  EXPECT_EQ(TrialFromJson(object)->workload.interrupts_off, guests::InterruptsOff::kLocking);
}

TEST(TrialRecord, AMissingCountIsNeverZero) {
  TrialRecord trial = SampleTrial();
  trial.exits.clear();
  trial.exits_missing_because = "perf has no split by reason";
  trial.pause_exits = Count::Missing("no BPF");
  const json object = ToJson(trial);
  EXPECT_EQ(object["exits"], json({{"missing_because", "perf has no split by reason"}}));
  EXPECT_EQ(object["pause_exits"], json({{"missing_because", "no BPF"}}));
  EXPECT_EQ(TrialFromJson(object).value().exits_missing_because, "perf has no split by reason");
}

TEST(TrialRecord, WithoutAGuestResultThereAreNoFigures) {
  TrialRecord trial = InvalidTrial("a", "the guest missed its deadline");
  trial.vcpus.clear();
  const json object = ToJson(trial);
  EXPECT_EQ(object["valid"], false);
  EXPECT_EQ(object["invalid_because"], "the guest missed its deadline");
  for (const char* key : {"throughput_per_s", "tsc_khz", "elapsed_tsc_cycles"}) {
    EXPECT_TRUE(object[key].contains("missing_because")) << key;
  }
  EXPECT_TRUE(TrialFromJson(object));
}

TEST(TrialRecord, WritesFiniteNumbersOnly) {
  for (const double bad :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    TrialRecord trial = SampleTrial();
    trial.throughput_per_s = bad;
    EXPECT_TRUE(ToJson(trial)["throughput_per_s"].contains("missing_because"));
  }
}

TEST(TrialRecord, WhatIsNotFiniteComesBackAsMissing) {
  TrialRecord trial = SampleTrial();
  trial.throughput_per_s = std::numeric_limits<double>::infinity();
  trial.fairness_jain = std::numeric_limits<double>::quiet_NaN();
  trial.vms[0].throughput_per_s = std::numeric_limits<double>::infinity();
  trial.vms[0].fairness_jain = std::numeric_limits<double>::infinity();
  json object = ToJson(trial);
  for (int form = 0; form < 2; ++form) {
    const Result<TrialRecord> read = TrialFromJson(object);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(std::isnan(read->throughput_per_s));
    EXPECT_FALSE(read->fairness_jain);
    EXPECT_TRUE(std::isnan(read->vms[0].throughput_per_s));
    EXPECT_FALSE(read->vms[0].fairness_jain);
    EXPECT_EQ(ToJson(*read)["throughput_per_s"], ToJson(trial)["throughput_per_s"]);
    // As JSON writers put what is not finite, an older plectl among them.
    object["throughput_per_s"] = object["fairness_jain"] = nullptr;
    object["vms"][0]["throughput_per_s"] = object["vms"][0]["fairness_jain"] = nullptr;
  }
  object["throughput_per_s"] = "fast";
  EXPECT_FALSE(TrialFromJson(object));
}

TEST(TrialRecord, FieldsThatAPayloadDoesNotMeasureAreLeftOut) {
  const json vcpu = ToJson(SampleTrial())["vcpus"][1];
  EXPECT_FALSE(vcpu.contains("acquisitions"));
  EXPECT_EQ(vcpu["involuntary_switches"], 0);
  EXPECT_EQ(vcpu["extra"]["pause_interval_tsc_cycles"], 3);
}

TEST(TrialRecord, KeepsWhyItWasNotContended) {
  TrialRecord trial = SampleTrial();
  trial.not_contended_because = "0 of 40 acquisitions had to wait";
  const json object = ToJson(trial);
  EXPECT_EQ(object["not_contended_because"], trial.not_contended_because);
  EXPECT_EQ(object["contention"]["contended_share"], 0.015);
  EXPECT_EQ(ToJson(TrialFromJson(object).value()), object);
}

TEST(TrialRecord, RefusesContentionThatCannotBe) {
  json object = ToJson(SampleTrial());
  object["contention"]["overlap_share"] = 1.5;
  EXPECT_THAT(ErrorOf(object), HasSubstr("overlap_share"));
  object["contention"]["overlap_share"] = 0.5;
  object["contention"]["contended"] = 20'001;
  EXPECT_THAT(ErrorOf(object), HasSubstr("contended"));
}

TEST(TrialRecord, RefusesFiguresThatCannotBe) {
  json object = ToJson(SampleTrial());
  object["fairness_jain"] = 1.5;
  EXPECT_THAT(ErrorOf(object), HasSubstr("fairness_jain: expected a number from 0 to 1, got 1.5"));
  object["fairness_jain"] = 1.0000000000000053;  // as sums of equal rates are rounded
  object["vms"][0]["fairness_jain"] = 2;
  EXPECT_THAT(ErrorOf(object), HasSubstr("vms[0].fairness_jain"));
  object["vms"][0]["fairness_jain"] = 0;
  EXPECT_EQ(ErrorOf(object), "no error");
  // The sum of 64 vCPUs would start again at 0.
  object["vcpus"][0]["acquisitions"] = uint64_t{1} << 58;
  EXPECT_THAT(ErrorOf(object), HasSubstr("vcpus[0].acquisitions"));
}

TEST(TrialRecord, AcceptsUnknownKeys) {
  json object = ToJson(SampleTrial());
  object["new_in_1_1"] = {1, 2};
  object["workload"]["new"] = "x";
  object["vcpus"][0]["new"] = nullptr;
  EXPECT_EQ(ErrorOf(object), "no error");
}

TEST(TrialRecord, EveryRequiredFieldIsMissed) {
  const std::set<std::string> optional = {
      "kind",       "ple_off_because", "noise",     "fairness_jain", "vms", "wait_tsc_cycles",
      "pause_rips", "energy_uj",       "contention"};
  const json whole = ToJson(SampleTrial());
  for (const auto& [key, value] : whole.items()) {
    if (optional.contains(key)) continue;
    json object = whole;
    object.erase(key);
    EXPECT_THAT(ErrorOf(object), HasSubstr("trial." + key)) << key;
  }
}

struct BadField {
  const char* pointer;
  json value;
  const char* says;
};

TEST(TrialRecord, ChecksTypesAndRanges) {
  const BadField fields[] = {
      {"/id", "", "trial.id: expected a text that is not empty"},
      {"/id", 5, "trial.id: expected a text"},
      {"/block", 4294967296, "from 0 to 4294967295"},
      {"/block", -1, "trial.block"},
      {"/lab_seed", kLabSeedMax + 1, "trial.lab_seed"},
      {"/lab_seed", -1, "trial.lab_seed"},
      {"/lab_seed", nullptr, "trial.lab_seed"},
      {"/lab_seed", "3", "trial.lab_seed"},
      {"/arm", "both", "trial.arm: expected \"pause\", \"nop\" or \"pause_exits_disabled\""},
      {"/params", json::array(), "trial.params: expected an object"},
      {"/params/ple_gap", -1, "trial.params.ple_gap"},
      {"/params/ple_gap", 1.5, "trial.params.ple_gap"},
      {"/workload", 3, "workload: expected an object"},
      {"/workload/vcpus", 65, "workload.vcpus"},
      {"/workload/cpus", json::array(), "workload.cpus: expected at least one CPU"},
      {"/workload/cpus", json({2147483648U}), "workload.cpus"},
      {"/workload/scheduling", "rr", "workload.scheduling"},
      {"/workload/interrupts_off", "", "workload.interrupts_off: expected \"never\", \"holding\""},
      {"/workload/interrupts_off", 1, "workload.interrupts_off"},
      {"/workload/hold_distribution", "even", "workload.hold_distribution: expected \"fixed\""},
      {"/workload/random_seed", -1, "workload.random_seed"},
      {"/workload/relax_repeat", "2", "workload.relax_repeat"},
      {"/workload/duration_tsc_cycles", -2, "workload.duration_tsc_cycles"},
      {"/fairness_jain", -0.5, "trial.fairness_jain"},
      {"/wait_tsc_cycles", 3, "trial.wait_tsc_cycles: expected an object"},
      {"/wait_tsc_cycles/p99", "x", "trial.wait_tsc_cycles.p99"},
      {"/vcpus/0/wait_histogram", 3, "trial.vcpus[0].wait_histogram: expected a list"},
      {"/vcpus/0/wait_histogram/0", json({1}), "trial.vcpus[0].wait_histogram"},
      {"/vcpus/0/wait_histogram/0/1", 0, "trial.vcpus[0].wait_histogram"},
      {"/vcpus/0/wait_histogram/0/0", -1, "trial.vcpus[0].wait_histogram"},
      {"/vcpus/0/wait_histogram/0/0", 12, "bounds going up"},
      {"/vcpus/0/wait_histogram/1/0", 33, "trial.vcpus[0].wait_histogram"},
      {"/pause_exits", -5, "trial.pause_exits"},
      {"/pause_exits", 1.0, "trial.pause_exits"},
      {"/pause_exits", json::object(), "trial.pause_exits.missing_because"},
      {"/exits/PAUSE_INSTRUCTION", "many", "trial.exits.PAUSE_INSTRUCTION"},
      {"/throughput_per_s", -1.0, "trial.throughput_per_s"},
      {"/throughput_per_s", "fast", "trial.throughput_per_s"},
      {"/vcpus", json::object(), "trial.vcpus: expected a list"},
      {"/vcpus", json::array(), "trial.vcpus: expected results in a valid trial"},
      {"/vcpus/1", 7, "trial.vcpus[1]: expected an object"},
      {"/vcpus/0/spins", -1, "trial.vcpus[0].spins"},
      {"/vcpus/0/kvm_exits", nullptr, "trial.vcpus[0].kvm_exits"},
      {"/vcpus/0/extra", 5, "trial.vcpus[0].extra"},
      {"/timings/own_ns", "1", "trial.timings.own_ns"},
      {"/timings/own_ns", INT64_MAX, "less than 11 days"},
      {"/timings/own_ns", INT64_MIN, "trial.timings.own_ns"},
      {"/valid", 1, "trial.valid"},
      {"/valid", false, "trial.invalid_because: expected a reason, got nothing"},
      {"/invalid_because", "x", "trial.invalid_because: expected nothing in a valid trial"},
      {"/ple_off_because", 3, "trial.ple_off_because"},
      {"/disturbed_because", 3, "trial.disturbed_because"},
      {"/noise", 3, "trial.noise: expected an object"},
      {"/noise/window_ns", -1, "trial.noise.window_ns"},
      {"/noise/window_ns", nullptr, "trial.noise.window_ns"},
      {"/noise/vmstat", 3, "trial.noise.vmstat: expected an object"},
      {"/noise/vmstat/pgscan_kswapd", -1, "trial.noise.vmstat.pgscan_kswapd"},
      {"/noise/cgroup/missing_because", "", "trial.noise.cgroup.missing_because"},
      {"/noise/worst_zone", 3, "trial.noise.worst_zone"},
      {"/noise/top_irqs", 3, "trial.noise.top_irqs"},
      {"/noise/top_irqs/0/fired", "x", "trial.noise.top_irqs[0].fired"},
      {"/noise/top_irqs/0/name", 1, "trial.noise.top_irqs[0].name"},
  };
  for (const BadField& bad : fields) {
    json object = ToJson(SampleTrial());
    object[json::json_pointer(bad.pointer)] = bad.value;
    EXPECT_THAT(ErrorOf(object), HasSubstr(bad.says)) << bad.pointer << " = " << bad.value;
  }
}

TEST(TrialRecord, ThatIsNoObjectIsRefused) {
  for (const json& value : {json(), json(3), json::array(), json("x")}) {
    EXPECT_THAT(ErrorOf(value), HasSubstr("trial: expected an object"));
  }
}

TEST(TrialRecord, RefusesMoreVcpusThanThereCanBe) {
  TrialRecord trial = SampleTrial();
  trial.vcpus.resize(65);
  EXPECT_THAT(ErrorOf(ToJson(trial)), HasSubstr("at most 64 vCPUs"));
}

}  // namespace
}  // namespace plectl::experiment
