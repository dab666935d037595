// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_check_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host_tools/base/stop.h"
#include "host_tools/cli/lab_options.h"
#include "host_tools/lab/engine.h"
#include "host_tools/lab/lab.h"
#include "host_tools/lab/self_test.h"
#include "host_tools/output/text_table.h"

namespace plectl::cli {
namespace {

using lab::EngineFacts;
using lab::EngineLane;

struct Options {
  lab::LabOptions lab;
  bool again = false;
  std::string lanes = "all";
  std::string format = "text";
};

// One kind of lab and what its test found, or why it could not be tested.
struct Checked {
  EngineLane lane;
  Result<EngineFacts> facts;
};

class Progress final : public lab::LabObserver {
 public:
  void OnProgress(std::string_view text) override { fmt::print(stderr, "lab: {}\n", text); }
};

std::vector<EngineLane> LanesOf(const std::string& name) {
  std::vector<EngineLane> lanes;
  for (const bool smp : {false, true}) {
    for (const lab::LabCpu cpu : {lab::LabCpu::kIntel, lab::LabCpu::kAmd}) {
      const EngineLane lane{cpu, smp};
      if (name == "all" || name == lane.name()) lanes.push_back(lane);
    }
  }
  return lanes;
}

Result<std::vector<Checked>> CheckLanes(const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(const StopSignal stop, StopSignal::Install());
  Progress progress;
  std::vector<Checked> checked;
  for (const EngineLane& lane : LanesOf(options.lanes)) {
    lab::LabOptions lab_options = options.lab;
    lab_options.cpu = lane.cpu;
    lab_options.cpus = lane.smp ? 2 : 1;
    lab_options.stop_fd = stop.fd();
    Result<EngineFacts> facts = options.again ? lab::ProbeEngine(lab_options, progress)
                                              : lab::EnsureEngineFacts(lab_options, progress);
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
    if (!facts && facts.error().kind != ErrorKind::kInconclusive) return Fail(facts.error());
    checked.push_back({lane, std::move(facts)});
  }
  return checked;
}

std::string YesNo(bool yes) { return yes ? "yes" : "no"; }

std::string Verdict(const Checked& checked) {
  if (!checked.facts) return "unusable: " + checked.facts.error().message;
  const std::string why = lab::WhyUnusable(checked.lane, *checked.facts);
  if (!why.empty()) return "unusable: " + why;
  if (!checked.facts->ple_off_because.empty()) {
    return "usable; 0 PAUSE exits, since " + checked.facts->ple_off_because;
  }
  return checked.facts->interrupts_when_off
             ? "usable"
             : "usable; plans that spin with interrupts off are refused";
}

std::vector<std::string> Row(const Checked& checked) {
  if (!checked.facts) {
    return {checked.lane.name(), "unknown", "unknown", "unknown", "unknown", Verdict(checked)};
  }
  const EngineFacts& facts = *checked.facts;
  const bool exits = facts.ple_off_because.empty();
  // In steps of its clock an SMP lab cannot follow the formula, nor need it.
  const std::string formula = checked.lane.smp ? "not asked" : YesNo(facts.closed_form);
  return {checked.lane.name(),
          YesNo(facts.repeatable),
          exits ? std::to_string(facts.first_gap_tsc_cycles) : "none",
          exits ? formula : "none",
          YesNo(facts.interrupts_when_off),
          Verdict(checked)};
}

void PrintText(const std::vector<Checked>& checked, const std::string& version) {
  output::TextTable table;
  for (const char* title : {"lab", "repeatable", "first gap (TSC cycles)", "PLE formula",
                            "interrupts with IF=0", "verdict"}) {
    table.columns.push_back({title});
  }
  for (const Checked& lane : checked) table.rows.push_back(Row(lane));
  fmt::print("emulator: Bochs {}; the probe is a loop of {} TSC cycles\n\n{}", version,
             lab::kProbeLoopTscCycles, table.Text());
}

void PrintJson(const std::vector<Checked>& checked, const std::string& version) {
  nlohmann::ordered_json lanes = nlohmann::ordered_json::array();
  for (const Checked& lane : checked) {
    nlohmann::ordered_json json = {{"lab", lane.lane.name()}};
    json["facts"] = lane.facts
                        ? nlohmann::ordered_json(lab::ToJson(*lane.facts))
                        : nlohmann::ordered_json({{"missing_because", lane.facts.error().message}});
    json["usable"] = lane.facts && lab::WhyUnusable(lane.lane, *lane.facts).empty();
    json["verdict"] = Verdict(lane);
    lanes.push_back(std::move(json));
  }
  const nlohmann::ordered_json json = {
      {"kind", "lab_check"}, {"engine", "bochs-" + version}, {"labs", lanes}};
  fmt::print("{}\n", json.dump(2));
}

Result<int> Check(const Options& options) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<Checked> checked, CheckLanes(options));
  PLECTL_ASSIGN_OR_RETURN(const std::string version, lab::EngineVersion(options.lab.engine));
  options.format == "json" ? PrintJson(checked, version) : PrintText(checked, version);
  for (const Checked& lane : checked) {
    if (!lane.facts || !lab::WhyUnusable(lane.lane, *lane.facts).empty()) {
      return kExitNegativeVerdict;
    }
  }
  return kExitFine;
}

// What --lanes says must not be said in another way too.
Result<int> CheckAs(const Options& options, const CLI::App& command) {
  for (const char* option : {"--lab-cpu", "--lab-cpus"}) {
    if (command.count(option) == 0) continue;
    return BadInput(fmt::format("{} does not choose what lab check tests", option),
                    "use --lanes intel, amd, intel-smp or amd-smp");
  }
  return Check(options);
}

}  // namespace

void AddLabCheckCommand(CLI::App& lab, CommandContext& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* check = lab.add_subcommand(
      "check", "Test the emulator: repeatability, gap boundary, PLE formula, interrupts, AMD, SMP");
  AddLabOptions(*check, options->lab);
  check->add_flag("--again", options->again, "Test now, whatever was found before");
  check->add_option("--lanes", options->lanes, "all, intel, amd, intel-smp or amd-smp")
      ->check(CLI::IsMember({"all", "intel", "amd", "intel-smp", "amd-smp"}))
      ->capture_default_str();
  check->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  check->footer(
      "Each emulator is tested once per version and kind of lab; sweeps do it by themselves.\n"
      "Exit code 1: one kind of lab cannot be trusted. Example: plectl lab check --lanes amd");
  check->callback([&context, options, check] {
    const Result<int> exit_code = CheckAs(*options, *check);
    context.exit_code = exit_code ? *exit_code : ReportError(exit_code.error());
  });
}

}  // namespace plectl::cli
