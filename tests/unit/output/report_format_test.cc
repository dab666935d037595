// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/report_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::output {
namespace {

using analysis::Quantity;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// One point with a spread, a missing quantity and text that CSV must quote.
Report Sample() {
  Report report;
  report.run = "dir";
  report.plan = "a \"plan\", quoted";
  report.seed = 3;
  report.varying = {"ple_window"};
  report.fixed = {{analysis::SettingKind::kWorkload, "payload", "ttas"}};
  analysis::Group group;
  group.settings = {report.fixed[0], {analysis::SettingKind::kParam, "ple_window", "4096"}};
  group.arm = "pause";
  group.trials = 3;
  for (const Quantity quantity : analysis::kQuantities) {
    group.quantities[quantity].missing_because = "not measured";
  }
  group.quantities[Quantity::kPauseExits].spread = analysis::Spread{1398, 1200, 1500.5};
  report.groups = {group};
  report.trials_valid = 3;
  report.invalid = {{"too late; vCPU 0: RIP 0x1", 2}, {"too late; vCPU 0: RIP 0x2", 1}, {"odd", 1}};
  report.notes = {"a note"};
  return report;
}

std::string Render(std::string_view format, const Report& report) {
  return (*MakeReportFormat(format))->Render(report);
}

// Two more points: one whose trials agree, one with a single trial.
Report Replicates() {
  Report report = Sample();
  report.lab = "bochs; an emulator, not silicon";
  report.lab_seeds = 3;
  report.groups[0].lab_seeds = 3;
  report.groups.resize(3, report.groups[0]);
  report.groups[0].quantities[Quantity::kThroughput].spread = analysis::Spread{8377, 8301, 8512};
  for (const size_t group : {1U, 2U}) {
    report.groups[group].quantities[Quantity::kThroughput].spread = analysis::Spread{5, 5, 5};
    report.groups[group].quantities[Quantity::kPauseExits].spread = analysis::Spread{0, 0, 0};
  }
  report.groups[2].trials = 1;
  return report;
}

TEST(TextFormat, ShowsTheSpreadBesideTheMedian) {
  const std::string text = Render("text", Replicates());
  EXPECT_THAT(text, HasSubstr("3 valid trials of 3 lab seeds\n"));
  EXPECT_THAT(text, HasSubstr("lab: bochs; an emulator, not silicon\n"));
  EXPECT_THAT(text, HasSubstr("throughput/s  min..max      PAUSE exits  min..max\n"));
  EXPECT_THAT(text, HasSubstr("       8,377  8,301..8,512        1,398  1,200..1,500"));
  EXPECT_THAT(text, HasSubstr("           5  same                    0  same\n"));
  EXPECT_THAT(text, HasSubstr("           5                          0\n"));
  EXPECT_THAT(text, HasSubstr("missing: exits/acquisition in 3 of 3 rows: not measured\n"));
  EXPECT_THAT(text, HasSubstr("figures: medians over the trials of a row (blocks and lab seeds)"));
}

TEST(TextFormat, WithoutReplicatesThereIsNoSpread) {
  Report report = Sample();
  report.groups[0].trials = 1;
  report.groups[0].quantities[Quantity::kPauseExits].spread = analysis::Spread{7, 7, 7};
  const std::string text = Render("text", report);
  EXPECT_THAT(text, Not(HasSubstr("min..max")));
  EXPECT_THAT(text, Not(HasSubstr("figures:")));
  EXPECT_THAT(text, Not(HasSubstr("lab")));
}

TEST(EveryFormat, SaysThatALabIsAnEmulator) {
  for (const std::string_view format : ReportFormatNames()) {
    EXPECT_THAT(Render(format, Replicates()), HasSubstr("an emulator, not silicon")) << format;
  }
}

TEST(TextFormat, ShowsTheSpreadAndWhatIsMissing) {
  const std::string text = Render("text", Sample());
  EXPECT_THAT(text, HasSubstr("fixed: payload=ttas\n"));
  EXPECT_THAT(text, HasSubstr("1,398  1,200..1,500"));
  EXPECT_THAT(text, HasSubstr("missing: window updates in 1 of 1 rows: not measured\n"));
  EXPECT_THAT(text, Not(HasSubstr("effective window")));  // no payload measured it
  EXPECT_THAT(text, HasSubstr("note: a note\n"));
}

TEST(TextFormat, TextsOfALogDoNotSteerTheTerminal) {
  Report report = Sample();
  report.plan = "caf\u00e9\x1b[2J";
  report.notes = {"\u202eevil\r"};
  const std::string text = Render("text", report);
  EXPECT_THAT(text, HasSubstr("plan caf\u00e9\\x1b[2J, seed"));
  EXPECT_THAT(text, HasSubstr("note: \\xe2\\x80\\xaeevil\\x0d\n"));
  EXPECT_THAT(text, EndsWith("\n"));
}

TEST(TextFormat, GroupsInvalidTrialsByTheirFirstClause) {
  const std::string text = Render("text", Sample());
  EXPECT_THAT(text, HasSubstr("invalid: 3 trials, not in the table: too late; for example vCPU 0: "
                              "RIP 0x1\n"));
  EXPECT_THAT(text, HasSubstr("invalid: 1 trials, not in the table: odd\n"));
  EXPECT_THAT(text, Not(HasSubstr("0x2")));
}

TEST(TextFormat, WithoutAValidTrialSaysSo) {
  Report report = Sample();
  report.groups.clear();
  EXPECT_THAT(Render("text", report), HasSubstr("no valid trial\n"));
}

TEST(CsvFormat, QuotesAndKeepsEveryColumn) {
  const std::string csv = Render("csv", Sample());
  EXPECT_THAT(csv, HasSubstr("plan,seed,payload,ple_window,arm,trials,throughput_per_s_median,"));
  EXPECT_THAT(csv, HasSubstr("\r\n\"a \"\"plan\"\", quoted\",3,ttas,4096,pause,3,,,,not measured,"
                             "1398,1200,1500.5,,"));
  EXPECT_THAT(
      csv,
      HasSubstr(
          ",ple_off_because,lab_seeds,lab,run_trials_valid,run_trials_planned,not_contended\r\n"));
  EXPECT_THAT(Render("csv", Replicates()),
              HasSubstr(",,3,\"bochs; an emulator, not silicon\",3,,0\r\n"));
}

TEST(ReportFormats, CountDisturbedTrials) {
  Report report = Sample();
  report.groups[0].disturbed = report.trials_disturbed = 2;
  EXPECT_THAT(Render("csv", report), HasSubstr("_missing_because,disturbed,ple_off_because,"));
  EXPECT_THAT(Render("csv", report), HasSubstr(",2,,0,,3,,0\r\n"));
  const auto json = nlohmann::json::parse(Render("json", report));
  EXPECT_EQ(json["trials_disturbed"], 2);
  EXPECT_EQ(json["groups"][0]["disturbed"], 2);
}

TEST(ReportFormats, TellWhatWasNotContended) {
  Report report = Sample();
  report.groups[0].not_contended = report.trials_not_contended = 2;
  report.groups[0].quantities[analysis::Quantity::kContended].spread = {0.001, 0, 0.002};
  EXPECT_THAT(Render("text", report), HasSubstr("NOT CONTENDED"));
  EXPECT_THAT(Render("csv", report), HasSubstr(",2\r\n"));
  EXPECT_THAT(Render("csv", report), HasSubstr(",contended_share_median,"));
  const auto json = nlohmann::json::parse(Render("json", report));
  EXPECT_EQ(json["trials_not_contended"], 2);
  EXPECT_EQ(json["groups"][0]["not_contended"], 2);
  EXPECT_EQ(json["groups"][0]["contended_share"]["max"], 0.002);
}

TEST(JsonFormat, IsReadable) {
  const auto json = nlohmann::json::parse(Render("json", Sample()));
  EXPECT_EQ(json["kind"], "report");
  EXPECT_EQ(json["groups"][0]["params"]["ple_window"], 4096);
  EXPECT_EQ(json["groups"][0]["pause_exits"]["median"], 1398);
  EXPECT_EQ(json["groups"][0]["window_updates"]["missing_because"], "not measured");
  EXPECT_EQ(json["invalid"].size(), 3U);
  EXPECT_TRUE(json["lab"].is_null());
  EXPECT_EQ(json["lab_seeds"], 0);
  const auto replicates = nlohmann::json::parse(Render("json", Replicates()));
  EXPECT_EQ(replicates["lab"], "bochs; an emulator, not silicon");
  EXPECT_EQ(replicates["lab_seeds"], 3);
  EXPECT_EQ(replicates["groups"][0]["lab_seeds"], 3);
  EXPECT_EQ(replicates["groups"][0]["throughput_per_s"]["max"], 8512);
}

TEST(MakeReportFormat, RefusesUnknownNamesWithASuggestion) {
  const auto format = MakeReportFormat("jsn");
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(format.error().message, HasSubstr("\"json\""));
}

}  // namespace
}  // namespace plectl::output
