// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/run_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunLog Parse(const std::string& text) {
  Result<RunLog> log = ParseRunLog(text, "run.jsonl");
  if (log) return *log;
  ADD_FAILURE() << log.error().Text();
  return {};
}

std::string ErrorOf(const std::string& text) {
  const Result<RunLog> log = ParseRunLog(text, "run.jsonl");
  if (log) return "no error";
  EXPECT_EQ(log.error().kind, ErrorKind::kBadInput);
  EXPECT_FALSE(log.error().hint.empty());
  return log.error().message;
}

const std::string& Start() {
  static const std::string start = LineOf(SampleManifest());
  return start;
}

TEST(Manifest, ComesBackUnchanged) {
  const nlohmann::json object = ToJson(SampleManifest());
  EXPECT_EQ(object["kind"], "manifest");
  EXPECT_EQ(object["schema"], 1);
  EXPECT_EQ(ToJson(ManifestFromJson(object).value()), object);
}

TEST(Manifest, ChecksItsFields) {
  const nlohmann::json whole = ToJson(SampleManifest());
  for (const auto& [key, value] : whole.items()) {
    if (key == "kind") continue;
    nlohmann::json object = whole;
    object[key] = -1;
    EXPECT_FALSE(ManifestFromJson(object)) << key;
    object.erase(key);
    EXPECT_EQ(ManifestFromJson(object).has_value(), key == "observer_cost") << key;
  }
}

TEST(Manifest, ANewerSchemaIsRefusedWithThatReason) {
  nlohmann::json object = ToJson(SampleManifest());
  object["schema"] = 2;
  const Result<Manifest> manifest = ManifestFromJson(object);
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().message, "schema 2 is newer than this plectl reads (up to 1)");
}

TEST(RunLog, HoldsManifestsAndTrialsInFileOrder) {
  const std::string text = Start() + LineOf(SampleTrial("b")) + LineOf(InvalidTrial("a", "why")) +
                           LineOf(SampleTrial("a"));
  const RunLog log = Parse(text);
  ASSERT_EQ(log.trials.size(), 3U);
  EXPECT_EQ(log.trials[0].id, "b");
  EXPECT_FALSE(log.trials[1].valid());
  EXPECT_THAT(log.FinishedIds(), ElementsAre("a", "b"));
  EXPECT_EQ(log.complete_bytes, text.size());
  EXPECT_THAT(log.notes, IsEmpty());
}

TEST(RunLog, TrialsOfASessionWhoseControlFailedAreInvalid) {
  const ControlRecord failed{"nop", "no PAUSE exit", "19 PAUSE exits", "", SampleTrial("nop")};
  const RunLog log = Parse(Start() + LineOf(SampleTrial("a")) + Start() + LineOf(SampleTrial("b")) +
                           ToLine(failed) + Start() + LineOf(SampleTrial("b")));
  ASSERT_EQ(log.trials.size(), 3U);
  EXPECT_TRUE(log.trials[0].valid());
  EXPECT_EQ(log.trials[1].invalid_because, "the control nop of its session failed");
  EXPECT_TRUE(log.trials[2].valid());
  EXPECT_THAT(log.notes, IsEmpty());
}

TEST(RunLog, ATornLastLineIsDroppedWithANote) {
  const std::string whole = Start() + LineOf(SampleTrial("a"));
  for (const std::string torn : {"{\"kind\":\"tri", "x", "\xff\xfe", "\r"}) {
    const RunLog log = Parse(whole + torn);
    EXPECT_EQ(log.trials.size(), 1U);
    EXPECT_EQ(log.complete_bytes, whole.size());
    ASSERT_EQ(log.notes.size(), 1U);
    EXPECT_EQ(log.notes[0], "run.jsonl:3: a torn last line of " + std::to_string(torn.size()) +
                                " bytes was dropped");
  }
  EXPECT_EQ(Parse(whole + std::string(4096, '\0')).trials.size(), 1U);  // what some crashes leave
}

TEST(RunLog, ALastLineWithoutItsNewlineIsTornEvenWhenItParses) {
  std::string text = Start() + LineOf(SampleTrial("a"));
  text.pop_back();
  EXPECT_THAT(Parse(text).trials, IsEmpty());
}

TEST(RunLog, EveryPrefixIsReadable) {
  const std::string text = Start() + LineOf(SampleTrial("a")) + LineOf(SampleTrial("b"));
  for (size_t length = 0; length <= text.size(); ++length) {
    const Result<RunLog> log = ParseRunLog(text.substr(0, length), "run.jsonl");
    ASSERT_TRUE(log) << length;
    EXPECT_LE(log->complete_bytes, length);
    EXPECT_EQ(log->notes.empty(), log->complete_bytes == length);
  }
}

TEST(RunLog, WithoutAWholeLineThereIsNothing) {
  for (const std::string text : {"", "\n", "{\"kind\":\"mani"}) {
    const RunLog log = Parse(text);
    EXPECT_THAT(log.manifests, IsEmpty());
    EXPECT_THAT(log.trials, IsEmpty());
  }
}

TEST(RunLog, EmptyLinesAndCarriageReturnsAreIgnored) {
  std::string manifest = Start();
  manifest.insert(manifest.size() - 1, "\r");
  EXPECT_EQ(Parse("\n" + manifest + "\r\n \t\n" + LineOf(SampleTrial("a"))).trials.size(), 1U);
}

TEST(RunLog, BadLinesAreNamed) {
  EXPECT_THAT(ErrorOf(Start() + "{\n"), HasSubstr("run.jsonl:2: parse error"));
  EXPECT_THAT(ErrorOf(Start() + "\n{\"a\":1}\n"),
              HasSubstr("run.jsonl:3: line.kind: expected a text, got nothing"));
  EXPECT_THAT(
      ErrorOf(Start() + "{\"kind\":\"note\"}\n"),
      HasSubstr("line.kind: expected \"manifest\", \"control\" or \"trial\", got \"note\""));
  EXPECT_THAT(ErrorOf(Start() + std::string(10, '\0') + "\n"), HasSubstr(":2: holds a NUL byte"));
  EXPECT_THAT(ErrorOf(Start() + "{\"kind\":\"trial\",\"kind\":\"trial\"}\n"),
              HasSubstr("stands twice"));
  EXPECT_THAT(ErrorOf(LineOf(SampleTrial("a"))),
              HasSubstr("run.jsonl:1: a trial stands before the first manifest"));
}

TEST(RunLog, HugeLinesAreRefused) {
  EXPECT_THAT(ErrorOf(Start() + std::string((16 << 20) + 1, 'x') + "\n"),
              HasSubstr("run.jsonl:2: longer than 16777216 bytes"));
}

TEST(RunLog, ShardsMergeByConcatenation) {
  const RunLog log = Parse(Start() + LineOf(SampleTrial("a")) + Start() + LineOf(SampleTrial("b")));
  EXPECT_EQ(log.manifests.size(), 2U);
  EXPECT_THAT(log.FinishedIds(), ElementsAre("a", "b"));
}

Manifest OnCpu(const std::string& model_name, const nlohmann::json& lab = nullptr) {
  Manifest manifest = SampleManifest();
  manifest.host = {{"cpu", {{"model_name", model_name}}}, {"lab", lab}};
  return manifest;
}

TEST(RunLog, ShardsOfAnotherHostAreRefusedByBothNames) {
  const std::string error = ErrorOf(LineOf(OnCpu("Haswell")) + LineOf(SampleTrial("a")) +
                                    LineOf(OnCpu("EPYC")) + LineOf(SampleTrial("b")));
  EXPECT_THAT(error, HasSubstr("run.jsonl:3: this manifest is of another host than the first"));
  EXPECT_THAT(error, HasSubstr("Haswell"));
  EXPECT_THAT(error, HasSubstr("EPYC"));
  EXPECT_THAT(ErrorOf(LineOf(OnCpu("Haswell")) + LineOf(OnCpu("Haswell", "bochs,haswell"))),
              HasSubstr("no lab"));
}

TEST(RunLog, CpusOfOneNameMayDifferInTheirModel) {
  const auto start = [](int model) {
    Manifest manifest = OnCpu("Genuine Intel(R) CPU 0000%@");
    manifest.host["cpu"]["model"] = model;
    return LineOf(manifest);
  };
  EXPECT_THAT(ErrorOf(start(85) + LineOf(SampleTrial("a")) + start(106)),
              HasSubstr("cpu/model was 85, here it is 106"));
}

TEST(RunLog, SessionsOfOtherSettingsArePooledWithANote) {
  const auto start = [](const char* smt) {
    Manifest manifest = OnCpu("Haswell");
    manifest.host["smt"] = {{"active", smt}};
    return LineOf(manifest);
  };
  EXPECT_THAT(Parse(start("0") + LineOf(SampleTrial("a")) + start("0")).notes, IsEmpty());
  const RunLog log = Parse(start("0") + LineOf(SampleTrial("a")) + start("1") + start("2"));
  EXPECT_THAT(log.notes, ElementsAre(HasSubstr("smt/active was \"0\", here it is \"1\"")));
}

TEST(RunLog, OneIdIsOfOneBlockAndLabSeed) {
  TrialRecord other = SampleTrial("a");
  other.block += 1;
  EXPECT_THAT(ErrorOf(Start() + LineOf(SampleTrial("a")) + LineOf(other)),
              HasSubstr("trial a was measured with other settings before"));
  other = SampleTrial("a");
  other.lab_seed = 7;
  EXPECT_THAT(ErrorOf(Start() + LineOf(SampleTrial("a")) + LineOf(other)),
              HasSubstr("trial a was measured with other settings before"));
}

TEST(RunLog, WhatAnOlderSessionDidNotRecordIsNoOtherHost) {
  Manifest older = SampleManifest();
  older.host = nlohmann::json::object();
  const RunLog log = Parse(LineOf(older) + LineOf(SampleTrial("a")) + LineOf(OnCpu("Haswell")));
  EXPECT_EQ(log.manifests.size(), 2U);
}

TEST(RunLog, LabsMayDifferInTheirSeedWhereTheTrialsNameIt) {
  const std::string start = LineOf(OnCpu("Haswell", "bochs,haswell,time0=1"));
  const std::string other = LineOf(OnCpu("Haswell", "bochs,haswell,time0=2"));
  TrialRecord seeded = SampleTrial("b");
  seeded.lab_seed = 2;
  EXPECT_EQ(Parse(start + other + LineOf(seeded)).trials.size(), 1U);
  EXPECT_THAT(ErrorOf(start + LineOf(SampleTrial("a")) + other + LineOf(SampleTrial("b"))),
              HasSubstr("run.jsonl:4: this manifest is of another host than the first"));
}

TEST(RunLog, ShardsOfAnotherPlanOrSeedAreRefused) {
  Manifest other = SampleManifest();
  other.plan_sha256 = "def";
  for (const Manifest& manifest : {SampleManifest(8), other}) {
    EXPECT_THAT(ErrorOf(Start() + LineOf(manifest)),
                HasSubstr("run.jsonl:2: this manifest is of another plan or seed"));
  }
}

TEST(RunLog, ShardsOfAnotherGuestAreRefused) {
  Manifest other = SampleManifest();
  other.payload_sha256 = "4567";
  EXPECT_THAT(ErrorOf(Start() + LineOf(other)),
              HasSubstr("run.jsonl:2: this manifest is of another guest"));
}

TEST(RunLog, ShardsOfOtherObserversAreRefused) {
  Manifest other = SampleManifest();
  other.observers = {"none"};
  EXPECT_THAT(ErrorOf(Start() + LineOf(other)),
              HasSubstr("run.jsonl:2: this manifest names other observers"));
}

TEST(RunLog, TheFirstValidRecordOfAnIdCounts) {
  TrialRecord second = SampleTrial("a");
  second.throughput_per_s = 1;
  const RunLog log = Parse(Start() + LineOf(SampleTrial("a")) + LineOf(second));
  ASSERT_EQ(log.trials.size(), 1U);
  EXPECT_EQ(log.trials[0].throughput_per_s, SampleTrial().throughput_per_s);
  EXPECT_THAT(log.notes, ElementsAre("1 more records of finished trials were ignored"));
}

TEST(RunLog, AnIdUnderTwoSettingsIsRefused) {
  TrialRecord second = SampleTrial("a");
  ++second.workload.hold_tsc_cycles;
  EXPECT_THAT(ErrorOf(Start() + LineOf(SampleTrial("a")) + LineOf(second)),
              HasSubstr("run.jsonl:3: trial a was measured with other settings before"));
  second = SampleTrial("a");
  second.params["ple_window"] = "1";
  EXPECT_THAT(ErrorOf(Start() + LineOf(SampleTrial("a")) + LineOf(second)),
              HasSubstr("run.jsonl:3: trial a was measured with other settings before"));
}

TEST(RunLog, ComesFromAFolderOrAFile) {
  const TempDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "run.jsonl", Start()));
  EXPECT_EQ(LoadRunLog(dir.path()).value().manifests.size(), 1U);
  EXPECT_EQ(LoadRunLog(dir.path() / "run.jsonl").value().manifests.size(), 1U);
  const Result<RunLog> absent = LoadRunLog(dir.path() / "absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kBadInput);
}

}  // namespace
}  // namespace plectl::experiment
