// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/engine_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host_tools/base/file.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr EngineLane kIntel{LabCpu::kIntel, false};
constexpr EngineLane kIntelSmp{LabCpu::kIntel, true};

EngineFacts Good() {
  return {.repeatable = true,
          .first_gap_tsc_cycles = kProbeLoopTscCycles,
          .closed_form = true,
          .interrupts_when_off = true,
          .ple_off_because = ""};
}

TEST(WhyUnusable, AGoodEmulatorIsUsable) {
  EngineFacts facts = Good();
  EXPECT_EQ(WhyUnusable(kIntel, facts), "");
  facts.interrupts_when_off = false;  // only some plans need it
  EXPECT_EQ(WhyUnusable(kIntel, facts), "");
}

TEST(WhyUnusable, SaysWhatIsWrong) {
  EngineFacts facts = Good();
  facts.closed_form = false;
  EXPECT_THAT(WhyUnusable(kIntel, facts), HasSubstr("formula"));
  facts.first_gap_tsc_cycles = 5;
  EXPECT_THAT(WhyUnusable(kIntel, facts), HasSubstr("3 TSC cycles first exits with a gap of 5"));
  facts.first_gap_tsc_cycles = 0;
  EXPECT_THAT(WhyUnusable(kIntel, facts), HasSubstr("no gap"));
  facts.repeatable = false;
  EXPECT_THAT(WhyUnusable(kIntel, facts), HasSubstr("twice"));
}

TEST(WhyUnusable, SeveralCpusNeedOnlyExitsAndRepeatability) {
  EngineFacts facts = Good();
  facts.first_gap_tsc_cycles = 16;
  facts.closed_form = false;
  EXPECT_EQ(WhyUnusable(kIntelSmp, facts), "");
  facts.first_gap_tsc_cycles = 0;
  EXPECT_THAT(WhyUnusable(kIntelSmp, facts), HasSubstr("no gap"));
}

TEST(WhyUnusable, WithPleOffNoExitsAreRight) {
  const EngineFacts off{.repeatable = true, .ple_off_because = "no PFTHRESHOLD"};
  EXPECT_EQ(WhyUnusable({LabCpu::kAmd, false}, off), "");
  EXPECT_NE(WhyUnusable({LabCpu::kAmd, false}, {.ple_off_because = "no PFTHRESHOLD"}), "");
}

TEST(EngineFactsJson, ComesBack) {
  const EngineFacts off{.repeatable = true, .ple_off_because = "no \"PFTHRESHOLD\""};
  const EngineFacts coarse{
      .first_gap_tsc_cycles = 16, .interrupts_when_off = true, .ple_off_because = ""};
  for (const EngineFacts& facts : {Good(), off, coarse, EngineFacts()}) {
    const auto read = EngineFactsFromJson(json::parse(ToJson(facts).dump()));
    ASSERT_TRUE(read) << read.error().Text();
    EXPECT_EQ(*read, facts);
  }
}

TEST(EngineFactsJson, EveryKeyIsNeededInItsType) {
  const json good = ToJson(Good());
  for (const auto& [key, value] : good.items()) {
    json changed = good;
    changed.erase(key);
    EXPECT_FALSE(EngineFactsFromJson(changed)) << key;
    changed[key] = json::array();
    const auto facts = EngineFactsFromJson(changed);
    ASSERT_FALSE(facts) << key;
    EXPECT_EQ(facts.error().kind, ErrorKind::kInconclusive);
  }
  EXPECT_FALSE(EngineFactsFromJson(nullptr));
  EXPECT_FALSE(EngineFactsFromJson(json::array({1, 2})));
}

TEST(EngineFactsJson, AnotherVersionsFactsAreForgotten) {
  json other = ToJson(Good());
  other["probe_version"] = other["probe_version"].get<int>() + 1;
  const auto facts = EngineFactsFromJson(other);
  ASSERT_FALSE(facts);
  EXPECT_THAT(facts.error().message, HasSubstr("another version"));
}

class EngineFactsStoreTest : public testing::Test {
 protected:
  TempDir directory_;
  EngineFactsStore store_{directory_.path()};
  std::filesystem::path file_ = directory_.path() / "engines" / "0123.intel.json";
};

TEST_F(EngineFactsStoreTest, KeepsFactsByEngineAndLane) {
  EXPECT_EQ(store_.Find("0123", kIntel), std::nullopt);
  ASSERT_TRUE(store_.Save("0123", kIntel, Good()));
  EXPECT_EQ(store_.Find("0123", kIntel), Good());
  EXPECT_EQ(store_.Find("4567", kIntel), std::nullopt);
  EXPECT_EQ(store_.Find("0123", kIntelSmp), std::nullopt);
  ASSERT_TRUE(store_.Save("0123", kIntel, EngineFacts()));
  EXPECT_EQ(store_.Find("0123", kIntel), EngineFacts());
}

TEST_F(EngineFactsStoreTest, ADamagedFileIsAsNone) {
  ASSERT_TRUE(store_.Save("0123", kIntel, Good()));
  const std::string text = ReadFile(file_).value_or("");
  const std::vector<std::string> damaged = {
      "", "{}", "nonsense", std::string(3, '\0'), text.substr(0, text.size() / 2), text + "}"};
  for (const std::string& bytes : damaged) {
    ASSERT_TRUE(WriteFileAtomically(file_, bytes));
    EXPECT_EQ(store_.Find("0123", kIntel), std::nullopt) << bytes;
  }
  ASSERT_TRUE(WriteFileAtomically(file_, text));
  EXPECT_EQ(store_.Find("0123", kIntel), Good());
}

TEST_F(EngineFactsStoreTest, SaysWhenItCannotSave) {
  ASSERT_TRUE(WriteFileAtomically(directory_.path() / "engines", "a file"));
  EXPECT_FALSE(store_.Save("0123", kIntel, Good()));
}

}  // namespace
}  // namespace plectl::lab
