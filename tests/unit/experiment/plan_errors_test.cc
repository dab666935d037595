// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "host_tools/experiment/plan.h"
#include "tests/unit/experiment/embedded_payloads.h"

namespace plectl::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct BadPlan {
  const char* name;
  std::string text;
  std::string place;  // of the error
  std::string says;   // a part of its message
};

void PrintTo(const BadPlan& plan, std::ostream* out) { *out << plan.name; }

// Everything but what the case is about is fine.
std::string Top(const std::string& line) {
  return "name: x\n" + line + "\nworkloads: [{payload: ttas, cpus: 0}]\n";
}
std::string Params(const std::string& params) { return Top("params: {" + params + "}"); }
std::string Work(const std::string& fields) {
  return "name: x\nworkloads:\n- {payload: ttas, cpus: 0, " + fields + "}\n";
}

const BadPlan kBadPlans[] = {
    {"Empty", "", "1:1", "the plan is empty"},
    {"OnlyComments", "# nothing\n\n", "1:1", "the plan is empty"},
    {"AScalar", "hello", "1:1", "the plan: expected a map, got \"hello\""},
    {"AList", "- a\n- b\n", "1:1", "expected a map, got a list of 2"},
    {"NoName", "workloads: [{payload: ttas, cpus: 0}]", "1:1", "needs the key \"name\""},
    {"NoWorkloads", "name: x", "1:1", "needs the key \"workloads\""},
    {"UnknownKey", Top("block: 3"), "2:1", "unknown key \"block\", did you mean \"blocks\"?"},
    {"MergeKey", Top("<<: {seed: 1}"), "2:1", "unknown key \"<<\"; known are name, seed"},
    {"DuplicateKey", Top("seed: 1\nseed: 2"), "3:1", "\"seed\" is already set in line 2"},
    {"DuplicateKeyInside", Params("ple_gap: 1, ple_gap: 2"), "2:22", "already set in line 2"},
    {"NameEmpty", "name: \"\"\nworkloads: [{payload: ttas, cpus: 0}]", "1:7", "expected a word"},
    {"NameWithSlash", "name: ../x\nworkloads: [{payload: ttas, cpus: 0}]", "1:7",
     "letters, digits"},
    {"NameNull", "name:\nworkloads: [{payload: ttas, cpus: 0}]", "1:1", "got nothing"},
    {"SeedNegative", Top("seed: -1"), "2:7", "from 0 to 18446744073709551615, got \"-1\""},
    {"SeedTooBig", Top("seed: 18446744073709551616"), "2:7", "expected a whole number"},
    {"SeedFloat", Top("seed: 1.0"), "2:7", "got \"1.0\""},
    {"SeedExponent", Top("seed: 1e3"), "2:7", "got \"1e3\""},
    {"SeedHex", Top("seed: 0x10"), "2:7", "got \"0x10\""},
    {"SeedOctal", Top("seed: 010"), "2:7", "got \"010\""},
    {"SeedQuoted", Top("seed: \"1\""), "2:7", "got \"1\" in quotes"},
    {"SeedList", Top("seed: [1, 2]"), "2:7", "got a list of 2"},
    {"SeedNull", Top("seed: ~"), "2:1", "got nothing"},
    {"SeedHuge", Top("seed: " + std::string(5000, '9')), "2:7", "expected a whole number"},
    {"BlocksZero", Top("blocks: 0"), "2:9", "from 1 to 10000"},
    {"BlocksOver32Bits", Top("blocks: 4294967297"), "2:9", "from 1 to 10000"},
    {"LabSeedTooBig", Top("lab_seeds: [1, 400000001]"), "2:16", "from 0 to 400000000"},
    {"LabSeedNegative", Top("lab_seeds: -1"), "2:12", "lab_seeds: expected a whole number"},
    {"LabSeedTwice", Top("lab_seeds: [3, 1, 3]"), "2:19", "lab_seeds has the value 3 twice"},
    {"LabSeedsEmpty", Top("lab_seeds: []"), "2:12", "lab_seeds: the list is empty"},
    {"LabSeedsRange", Top("lab_seeds: {linear: [0, 400000001, 400000001]}"), "2:25",
     "from 0 to 400000000"},
    {"LabSeedsSingular", Top("lab_seed: 1"), "2:1", "did you mean \"lab_seeds\"?"},
    {"LabSeedsMakeTooMany", Top("blocks: 10000\nlab_seeds: {linear: [1, 6, 1]}"), "1:1",
     "1 parameter sets, 1 workloads, 6 lab seeds"},
    {"DeadlineZero", Top("deadline_ms: 0"), "2:14", "from 1 to 3600000"},
    {"ArmUnknown", Top("arms: [pause, nops]"), "2:15", "\"nops\", did you mean \"nop\"?"},
    {"ArmMisspelt", Top("arms: [pause_exit_disabled]"), "2:8",
     "did you mean \"pause_exits_disabled\"?"},
    {"ArmsEmpty", Top("arms: []"), "2:7", "the list is empty"},
    {"ArmTwice", Top("arms: [nop, nop]"), "2:13", "arms has the value nop twice"},
    {"ArmsMap", Top("arms: {log2: [1, 2]}"), "2:7", "expected a word, got a map"},
    {"ParamsListOfWords", Top("params: [ple_gap]"), "2:10", "expected a list of maps"},
    {"ParamsWord", Top("params: ple_gap"), "2:9", "expected a map"},
    {"ParamsEmpty", Top("params: {}"), "2:9", "params has no parameter"},
    {"ParamUnknown", Params("ple_windw: 1"), "2:10", "did you mean \"ple_window\"?"},
    {"ParamOfKvmIntelNotPle", Params("ple_gap: 1, nested: 1"), "2:22", "\"nested\""},
    {"ParamsMixed", Params("ple_gap: 1, pause_filter_count: 1"), "2:22", "kvm_amd"},
    {"ParamOver32Bits", Params("ple_gap: [1, 4294967296]"), "2:23", "from 0 to 4294967295"},
    {"ParamOver16Bits", Params("pause_filter_count: 65536"), "2:30", "from 0 to 65535"},
    {"ParamTwice", Params("ple_gap: [1, 2, 1]"), "2:26", "ple_gap has the value 1 twice"},
    {"ParamNestedList", Params("ple_gap: [1, [2]]"), "2:23", "got a list of 1"},
    {"ParamNull", Params("ple_gap: "), "2:10", "got nothing"},
    {"RangeUnknown", Params("ple_gap: {log: [1, 2]}"), "2:20", "did you mean \"log2\"?"},
    {"RangeEmpty", Params("ple_gap: {}"), "2:19", "a range is {log2: [from, to]}"},
    {"RangeTwoForms", Params("ple_gap: {log2: [1, 2], linear: [1, 2, 1]}"), "2:19", "a range is"},
    {"Log2NotAPower", Params("ple_gap: {log2: [1, 3]}"), "2:30", "3 is not a power of two"},
    {"Log2Zero", Params("ple_gap: {log2: [0, 4]}"), "2:27", "0 is not a power of two"},
    {"Log2Downwards", Params("ple_gap: {log2: [8, 4]}"), "2:26", "not from 8 to 4"},
    {"Log2OneEnd", Params("ple_gap: {log2: [8]}"), "2:26", "expected log2: [from, to], got a list"},
    {"Log2Scalar", Params("ple_gap: {log2: 8}"), "2:26", "expected log2: [from, to], got \"8\""},
    {"Log2Word", Params("ple_gap: {log2: [1, x]}"), "2:30", "got \"x\""},
    {"Log2TooBig", Params("ple_gap: {log2: [1, 4294967296]}"), "2:30", "to 4294967295"},
    {"LinearNoStep", Params("ple_gap: {linear: [1, 2]}"), "2:28", "linear: [from, to, step]"},
    {"LinearZeroStep", Params("ple_gap: {linear: [1, 2, 0]}"), "2:35", "above 0"},
    {"LinearDownwards", Params("ple_gap: {linear: [2, 1, 1]}"), "2:28", "not from 2 to 1"},
    {"LinearTooMany", Params("ple_gap: {linear: [0, 4294967295, 1]}"), "2:28",
     "more than 100000 values"},
    {"LinearNegative", Params("ple_gap: {linear: [-1, 2, 1]}"), "2:29", "got \"-1\""},
    {"GrowAboveWindow", Params("ple_window: [4096, 1024], ple_window_grow: [2, 2048]"), "2:57",
     "the point ple_window=1024 ple_window_grow=2048 is refused"},
    {"ShrinkAboveWindow", Params("ple_window_shrink: 8192, ple_window: 4096"), "2:47", "refused"},
    {"MaxBelowWindow", Params("ple_gap: 5, ple_window: 4096, ple_window_max: 100"), "2:56",
     "refused"},
    {"ProductTooBig",
     Params("ple_gap: {linear: [0, 999, 1]}, ple_window_max: {linear: [5000, 5999, 1]}"), "2:9",
     "more than 100000 combinations"},
    {"TrialsTooMany", Top("blocks: 10000\nparams: {ple_gap: {linear: [0, 9, 1]}}"), "1:1",
     "more than 100000 trials: 10000 blocks, 2 arms, 10 parameter sets"},
    {"WorkloadsMap", "name: x\nworkloads: {payload: ttas}", "2:12", "expected a list"},
    {"WorkloadsEmpty", "name: x\nworkloads: []", "2:12", "at least one workload"},
    {"WorkloadScalar", "name: x\nworkloads: [ttas]", "2:13", "a workload: expected a map"},
    {"NoPayload", "name: x\nworkloads: [{cpus: 0}]", "2:13", "needs the key \"payload\""},
    {"NoCpus", "name: x\nworkloads: [{payload: ttas}]", "2:13", "needs the key \"cpus\""},
    {"PayloadUnknown", "name: x\nworkloads: [{payload: ttass, cpus: 0}]", "2:23",
     "did you mean \"ttas\"?"},
    {"WorkloadKeyUnknown", Work("vcpu: 2"), "3:28", "did you mean \"vcpus\"?"},
    {"VcpusZero", Work("vcpus: 0"), "3:35", "from 1 to 64"},
    {"VcpusTooMany", Work("vcpus: [2, 65]"), "3:39", "from 1 to 64"},
    {"VcpusBelowContention", Work("vcpus: 1"), "3:35", "contention"},
    {"IterationsZero", Work("iterations: 0"), "3:40", "from 1 to"},
    {"HoldNegative", Work("hold_tsc_cycles: -5"), "3:45", "from 0 to"},
    {"HoldHuge", Work("hold_tsc_cycles: 99999999999999999999"), "3:45", "from 0 to"},
    {"SchedulingUnknown", Work("scheduling: rr"), "3:40", "known are other, fifo"},
    {"VmsNone", Work("vms: 0"), "3:33", "vms: expected a whole number from 1 to 64"},
    {"VmsTooMany", Work("vms: 33"), "3:33", "vms is 33: with 2 vCPUs each, 1 to 32 VMs can run"},
    {"InterruptsOffUnknown", Work("interrupts_off: lock"), "3:44", "never, holding, locking"},
    {"InterruptsOffYamlBool", Work("interrupts_off: true"), "3:44", "never, holding, locking"},
    {"InterruptsOffTwice", Work("interrupts_off: [never, never]"), "3:52", "never twice"},
    {"InterruptsOffOfASpinner",
     "name: x\nworkloads:\n- {payload: pause_loop, cpus: 0, vcpus: 1, interrupts_off: holding}\n",
     "3:60", "interrupts_off is holding: payload pause_loop holds no lock"},
    {"InterruptsOffInRing3",
     "name: x\nworkloads:\n- {payload: user_pause_loop, cpus: 0, interrupts_off: locking}\n",
     "3:55", "interrupts_off is locking: payload user_pause_loop always runs with interrupts on"},
    {"DistributionUnknown", Work("hold_distribution: normal"), "3:47", "fixed, exponential"},
    {"DistributionWithoutMean", Work("think_distribution: exponential"), "3:48", "mean"},
    {"DurationAndIterations", Work("iterations: 5, duration_tsc_cycles: 5"), "3:64", "exclude"},
    {"DurationZero", Work("duration_tsc_cycles: 0"), "3:49", "from 1 to"},
    {"DurationOfASpinner",
     "name: x\nworkloads:\n- {payload: pause_loop, cpus: 0, duration_tsc_cycles: 5}\n", "3:55",
     "duration_tsc_cycles is 5: payload pause_loop runs for its iterations only"},
    {"HoldWithoutALock",
     "name: x\nworkloads:\n- {payload: barrier, cpus: 0, hold_tsc_cycles: [0, 5]}\n", "3:48",
     "hold_tsc_cycles is 5: payload barrier does not hold"},
    {"SeedOfNothing", Work("random_seed: 2"), "3:41", "nothing is random"},
    {"RelaxRepeatZero", Work("relax_repeat: 0"), "3:42", "from 1 to 64"},
    {"RelaxRepeatTooMuch", Work("relax_repeat: 65"), "3:42", "from 1 to 64"},
    {"RelaxRepeatOfASpinner",
     "name: x\nworkloads:\n- {payload: pause_storm, cpus: 0, relax_repeat: 2}\n", "3:49",
     "relax_repeat is 2: payload pause_storm has no wait loop"},
    {"RelaxRepeatWithBody", Work("body_loops: 1, relax_repeat: 2"), "3:57", "in a row"},
    {"CpusEmpty", "name: x\nworkloads: [{payload: ttas, cpus: []}]", "2:35", "empty"},
    {"CpusEmptyInside", "name: x\nworkloads: [{payload: ttas, cpus: [[0], []]}]", "2:41", "empty"},
    {"CpusNegative", "name: x\nworkloads: [{payload: ttas, cpus: [0, -1]}]", "2:39", "\"-1\""},
    {"CpusTooBig", "name: x\nworkloads: [{payload: ttas, cpus: 1024}]", "2:35", "0 to 1023"},
    {"CpusTwice", "name: x\nworkloads: [{payload: ttas, cpus: [1, 1]}]", "2:39", "CPU 1 twice"},
    {"CpusMixed", "name: x\nworkloads: [{payload: ttas, cpus: [1, [2]]}]", "2:39", "list of 1"},
    {"CpusRange", "name: x\nworkloads: [{payload: ttas, cpus: {linear: [0, 3, 1]}}]", "2:35",
     "got a map"},
    {"CpusDeep", "name: x\nworkloads: [{payload: ttas, cpus: [[[0]]]}]", "2:37", "got a list"},
    {"WorkloadTwice",
     "name: x\nworkloads:\n- {payload: ttas, cpus: 0}\n- {payload: ttas, cpus: [0], vcpus: 2}\n",
     "4:3", "already in the entry in line 3"},
    {"CpusAxisTwice", "name: x\nworkloads: [{payload: ttas, cpus: [[0], [0]]}]", "2:13", "already"},
    {"Alias", Top("seed: &a 1\nblocks: *a"), "2:7", "anchors"},
    {"Tag", Top("seed: !!int 1"), "2:7", "tags"},
    {"TwoDocuments", Top("seed: 1") + "---\nname: y\n", "4:1", "one YAML document"},
    {"SyntaxFlow", Top("arms: [pause"), "3:10", ""},
    {"SyntaxTab", Top("params:\n\tple_gap: 1"), "3:9", ""},
    {"ControlCharacter", Top("seed: 1\x04"), "2:8", "0x04"},
    {"NotUtf8", Top("seed: \xff"), "2:7", "not UTF-8"},
    {"DeepNesting", Top("seed: " + std::string(400'000, '[')), "2:15", "nested deeper"},
};

class PlanErrors : public ::testing::TestWithParam<BadPlan> {};

TEST_P(PlanErrors, HavePlaceAndReason) {
  const Result<Plan> plan = ParsePlan(GetParam().text, "p.yaml", Payloads());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(plan.error().message, StartsWith("p.yaml:" + GetParam().place + ": "));
  EXPECT_THAT(plan.error().message, HasSubstr(GetParam().says));
  EXPECT_LT(plan.error().message.size(), 500U);
}

INSTANTIATE_TEST_SUITE_P(All, PlanErrors, ::testing::ValuesIn(kBadPlans),
                         [](const auto& bad) { return std::string(bad.param.name); });

}  // namespace
}  // namespace plectl::experiment
