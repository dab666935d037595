// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host_tools/base/file.h"
#include "host_tools/experiment/lab_host.h"
#include "host_tools/host/fingerprint.h"
#include "host_tools/lab/job.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

EngineFacts Coarse() {
  return {.repeatable = true, .first_gap_tsc_cycles = 16, .ple_off_because = ""};
}

LabOptions Profiled() {
  LabOptions options;
  options.profile = FindLabCpu("skylake-client").value().profile;
  return options;
}

std::string NoteOf(const json& facts) { return facts.at("note").get<std::string>(); }

TEST(LabFacts, NameTheEmulatorAndTheMachine) {
  LabOptions options;
  options.cpu = LabCpu::kAmd;
  options.memory_mib = 512;
  const json facts = LabFacts(options, "2.7", "", nullptr);
  EXPECT_EQ(facts["engine"], "bochs-2.7");
  EXPECT_EQ(facts["cpu"], "ryzen");
  EXPECT_EQ(facts["cpus"], 1);
  EXPECT_EQ(facts["instructions_per_s"], 200'000'000);
  EXPECT_EQ(facts["memory_mib"], 512);
  EXPECT_EQ(facts["profile"], nullptr);
  EXPECT_THAT(NoteOf(facts), AllOf(HasSubstr("not silicon"), Not(HasSubstr("profile"))));
}

TEST(LabFacts, NameTheKernelsArgumentsWhereThereAreAny) {
  LabOptions options;
  const json plain = LabFacts(options, "2.7", "", nullptr);
  EXPECT_FALSE(plain.contains("kernel_arguments"));
  options.kernel_arguments = "nohz_full=1";
  const json facts = LabFacts(options, "2.7", "", nullptr);
  EXPECT_EQ(facts["kernel_arguments"], "nohz_full=1");
  EXPECT_NE(experiment::LabWithoutSeed({{"lab", plain}}),
            experiment::LabWithoutSeed({{"lab", facts}}));
  EXPECT_THAT(experiment::LabText({{"lab", facts}}), HasSubstr("kernel_arguments=nohz_full=1"));
}

TEST(LabFacts, AProfileComesWithItsSourceAndStaysAnEmulator) {
  const json facts = LabFacts(Profiled(), "2.7", "", nullptr);
  EXPECT_EQ(facts["profile"]["name"], "skylake-client");
  EXPECT_EQ(facts["profile"]["pause_tsc_cycles"], 140);
  EXPECT_THAT(facts["profile"]["source"].get<std::string>(), HasSubstr("optimization manual"));
  EXPECT_THAT(facts["profile"]["figure"].get<std::string>(), HasSubstr("140"));
  EXPECT_THAT(NoteOf(facts),
              AllOf(HasSubstr("not silicon"), HasSubstr("profile skylake-client on that emulator"),
                    HasSubstr("padded to the 140 cycles")));
}

TEST(LabFacts, GranularityIsOneCycleUnlessThereAreSeveralCpus) {
  LabOptions options;
  const EngineFacts tested = Coarse();
  EXPECT_EQ(LabFacts(options, "2.7", "", &tested)["clock_granularity_tsc_cycles"], 1);
  EXPECT_EQ(LabFacts(options, "2.7", "", nullptr)["clock_granularity_tsc_cycles"], 1);
  options.cpus = 2;
  const json coarse = LabFacts(options, "2.7", "", &tested);
  EXPECT_EQ(coarse["cpus"], 2);
  EXPECT_EQ(coarse["clock_granularity_tsc_cycles"], 16);
  EXPECT_THAT(NoteOf(coarse), HasSubstr("with 2 CPUs its time moves in steps of 16 TSC cycles"));
}

TEST(LabFacts, AnUnknownGranularityIsMissing) {
  LabOptions options;
  options.cpus = 2;
  const EngineFacts off{.repeatable = true, .ple_off_because = "no PFTHRESHOLD"};
  const json untested = LabFacts(options, "2.7", "", nullptr)["clock_granularity_tsc_cycles"];
  EXPECT_EQ(untested["missing_because"], "the emulator was not tested");
  const json without = LabFacts(options, "2.7", "", &off)["clock_granularity_tsc_cycles"];
  EXPECT_THAT(without["missing_because"].get<std::string>(), HasSubstr("no PFTHRESHOLD"));
  EXPECT_THAT(NoteOf(LabFacts(options, "2.7", "", &off)), Not(HasSubstr("steps")));
}

TEST(LabFacts, TellHowTheSeedCameAbout) {
  LabOptions options;
  options.seed = 3;
  const json cold = LabFacts(options, "2.7", "", nullptr);
  EXPECT_EQ(cold["seed"], 3);
  EXPECT_EQ(cold["seed_start"], "cold");
  EXPECT_EQ(cold["seed_snapshot"], nullptr);
  EXPECT_EQ(cold["seed_delay_tsc_cycles"], 0);
  const json resumed = LabFacts(options, "2.7", "abcd", nullptr);
  EXPECT_EQ(resumed["seed_start"], "snapshot");
  EXPECT_EQ(resumed["seed_snapshot"], "abcd");
  EXPECT_EQ(resumed["seed_delay_tsc_cycles"], SeedDelay(options));
  EXPECT_GT(SeedDelay(options), 0U);
}

TEST(LabFacts, OfTwoSeedsDifferOnlyInTheirSeeds) {
  LabOptions options = Profiled();
  const json first = {{"lab", LabFacts(options, "2.7", "", nullptr)}};
  options.seed = 1;
  const json second = {{"lab", LabFacts(options, "2.7", "abcd", nullptr)}};
  EXPECT_EQ(experiment::LabWithoutSeed(first), experiment::LabWithoutSeed(second));
  EXPECT_NE(experiment::LabWithSeed(first), experiment::LabWithSeed(second));
}

// The name of the file is said in host/ and in lab/, which do not know of each other.
TEST(LabFacts, AreWhatTheFingerprintReads) {
  const TempDir directory;
  const HostRoot root(directory.path());
  const json facts = LabFacts(Profiled(), "2.7", "abcd", nullptr);
  for (const auto& [path, text] :
       {std::pair<std::string, std::string>{"/proc/cmdline", "quiet plectl.lab=bochs"},
        {std::string(kLabFactsFile), facts.dump()}}) {
    ASSERT_TRUE(MakeDirectories(root.Path(path).parent_path()));
    ASSERT_TRUE(WriteFileAtomically(root.Path(path), text));
  }
  EXPECT_EQ(host::Fingerprint(root)["lab"], facts);
}

}  // namespace
}  // namespace plectl::lab
