// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/run_log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/experiment/json_fields.h"
#include "host_tools/experiment/run_log_line.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/experiment/sample_run.h"

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunLogReaderTest : public ::testing::Test {
 protected:
  std::filesystem::path Write(const std::string& text) {
    std::ofstream(dir_.path() / "run.jsonl") << text;
    return dir_.path();
  }
  TempDir dir_;
};

// Several blocks, which several threads parse.
TEST_F(RunLogReaderTest, AFileOfManyBlocksComesInItsOrder) {
  std::string text = LineOf(SampleManifest());
  const std::string padding(50'000, ' ');
  for (int i = 0; i < 200; ++i) text += padding + LineOf(SampleTrial("t" + std::to_string(i)));
  const RunLog log = LoadRunLog(Write(text)).value();
  ASSERT_EQ(log.trials.size(), 200U);
  for (size_t i = 0; i < 200; ++i) EXPECT_EQ(log.trials[i].id, "t" + std::to_string(i));
  EXPECT_EQ(log.complete_bytes, text.size());
  const Result<RunLog> bad = LoadRunLog(Write(text + "{}\n"));
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("run.jsonl:202: line.kind"));
}

TEST_F(RunLogReaderTest, ALineThatIsTooLongIsNamedAndATornOneDropped) {
  const std::string whole = LineOf(SampleManifest()) + LineOf(SampleTrial("a"));
  const std::string longer((16 << 20) + 1, 'x');
  const Result<RunLog> bad = LoadRunLog(Write(whole + longer + "\n" + whole));
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("run.jsonl:3: longer than 16777216 bytes"));
  const RunLog torn = LoadRunLog(Write(whole + longer)).value();
  EXPECT_EQ(torn.trials.size(), 1U);
  EXPECT_EQ(torn.complete_bytes, whole.size());
  EXPECT_THAT(torn.notes[0], HasSubstr("run.jsonl:3: a torn last line of 16777217 bytes"));
}

// Reading a FIFO would wait for a writer for ever.
TEST_F(RunLogReaderTest, WhatIsNoFileInItsFolderIsNotRead) {
  const std::filesystem::path log = dir_.path() / "run.jsonl";
  const auto error = [&] { return LoadRunLog(dir_.path()).error(); };
  ASSERT_EQ(::mkfifo(log.c_str(), 0600), 0);
  EXPECT_EQ(error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(error().message, HasSubstr("run.jsonl is no file"));
  std::filesystem::remove(log);
  std::filesystem::create_directory(log);
  EXPECT_EQ(error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(error().message, HasSubstr("run.jsonl is no file"));
  std::filesystem::remove(log);
  std::filesystem::create_symlink("run.jsonl", log);
  EXPECT_EQ(error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(error().message, HasSubstr("Too many levels of symbolic links"));
}

TEST_F(RunLogReaderTest, Utf16IsNamed) {
  const Result<RunLog> read = LoadRunLog(Write(std::string("\xff\xfe{\0\n\0", 6)));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().hint, "save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD >NEW");
}

TEST_F(RunLogReaderTest, AFailedControlMakesTheTrialsBeforeItInvalid) {
  const ControlRecord failed{"nop", "no PAUSE exit", "19 PAUSE exits", "", SampleTrial("nop")};
  const std::string start = LineOf(SampleManifest());
  const RunLog log =
      LoadRunLog(Write(start + LineOf(SampleTrial("a")) + start + LineOf(SampleTrial("b")) +
                       LineOf(SampleTrial("c")) + ToLine(failed) + LineOf(SampleTrial("d"))))
          .value();
  EXPECT_THAT(log.FinishedIds(), ElementsAre("a", "d"));
  EXPECT_EQ(log.trials[1].invalid_because, "the control nop of its session failed");
  EXPECT_EQ(log.controls.size(), 1U);
  EXPECT_THAT(log.notes, IsEmpty());
}

TEST_F(RunLogReaderTest, TotalsAreWhatExportsRead) {
  const RunLog log =
      LoadRunLogTotals(Write(LineOf(SampleManifest()) + LineOf(SampleTrial("a")))).value();
  EXPECT_EQ(log.trials[0].vcpus[0].acquisitions, 20'000U);
  EXPECT_FALSE(log.trials[0].noise);
  EXPECT_THAT(log.trials[0].vcpus[0].wait_histogram, IsEmpty());
}

// Whatever the fast parser accepts, the strict one reads alike.
void ExpectSame(const nlohmann::json& object) {
  FastJson parser;
  const std::string text = object.dump();
  const std::optional<JsonValue> fast = parser.ParseObject(text);
  ASSERT_TRUE(fast) << text;
  const Result<TrialRecord> from_fast = TrialFromJson(*fast);
  const Result<TrialRecord> from_tree = TrialFromJson(object);
  ASSERT_EQ(from_fast.has_value(), from_tree.has_value()) << text;
  // What is not kept is checked all the same.
  for (const TrialParts parts : {TrialParts::kTotals, TrialParts::kFigures}) {
    EXPECT_EQ(TrialFromJson(*fast, parts).has_value(), from_tree.has_value()) << text;
    EXPECT_EQ(TrialFromJson(JsonValue(object), parts).has_value(), from_tree.has_value()) << text;
  }
  if (!from_fast) return;
  EXPECT_EQ(ToJson(*from_fast), ToJson(*from_tree)) << text;
  TrialRecord totals = *from_tree;
  LeaveTotals(totals);
  EXPECT_EQ(ToJson(TrialFromJson(*fast, TrialParts::kTotals).value()), ToJson(totals)) << text;
  totals.exits.clear();
  EXPECT_EQ(ToJson(TrialFromJson(*fast, TrialParts::kFigures).value()), ToJson(totals)) << text;
}

// Of the values for a field, each third, another third for each field; in the long form all: under
// the sanitizers that takes a minute.
bool IsTried(size_t field, size_t value) {
  const char* full = std::getenv("PLECTL_TEST_FULL");
  return (full != nullptr && std::string_view(full) == "1") || (field + value) % 3 == 0;
}

TEST(FastJson, EveryFieldOfEveryTypeIsReadAsTheTreeIs) {
  const nlohmann::json sample = ToJson(SampleTrial());
  ExpectSame(sample);
  const nlohmann::json values = nlohmann::json::parse(
      R"([0, 1, -1, 1.5, -0.0, 18446744073709551615, -9223372036854775808, 1e300, "x", "", true,
          null, [], [1], ["x"], [[1, 2]], [[1, 2, 3]], {}, {"a": 1}, {"missing_because": "y"},
          {"missing_because": ""}])");
  std::vector<std::string> fields;
  const nlohmann::json flat = sample.flatten();
  for (const auto& [pointer, value] : flat.items()) fields.push_back(pointer);
  for (const auto& [key, value] : sample.items()) fields.push_back("/" + key);
  for (size_t field = 0; field < fields.size(); ++field) {
    for (size_t value = 0; value < values.size(); ++value) {
      if (!IsTried(field, value)) continue;
      nlohmann::json changed = sample;
      changed[nlohmann::json::json_pointer(fields[field])] = values[value];
      ExpectSame(changed);
    }
  }
}

TEST(FastJson, RefusesWhatTheStrictParserRefuses) {
  FastJson parser;
  for (const std::string text :
       {R"({"a":1,"a":2})", R"({"b":{"z":1,"a":2,"z":3}})", R"([1])", "17", "", "{\"a\":1",
        "{\"a\":\"\xff\"}", R"({"a":1e999})", R"({"a":NaN})", R"({"a":1}{)", R"({"a":01})"}) {
    EXPECT_FALSE(parser.ParseObject(text)) << text;
    EXPECT_FALSE(ParseJsonObject(text)) << text;
  }
  EXPECT_TRUE(parser.ParseObject(R"( {"b":1,"a":{"b":2}} )"));
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(parser.ParseObject(nested(31)));
  EXPECT_FALSE(parser.ParseObject(nested(32)));
}

}  // namespace
}  // namespace plectl::experiment
