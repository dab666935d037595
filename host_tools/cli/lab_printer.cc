// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/lab_printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "host_tools/base/file.h"

namespace plectl::cli {
namespace {

double Seconds(std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1000; }

}  // namespace

void LabPrinter::OnProgress(std::string_view text) { fmt::print(stderr, "lab: {}\n", text); }

Status LabPrinter::OnBooted(const lab::LabHello& hello, std::chrono::milliseconds /*boot_time*/) {
  hello_ = hello;
  return OkStatus();
}

Status LabPrinter::OnStdout(std::string_view bytes) { return WriteAll(STDOUT_FILENO, bytes); }

Status LabPrinter::OnStderr(std::string_view bytes) { return WriteAll(STDERR_FILENO, bytes); }

void LabPrinter::OnConsole(std::string_view line) {
  if (options_.console) fmt::print(stderr, "{}\n", line);
}

void LabPrinter::PrintOutcome(const lab::LabOutcome& outcome) const {
  if (!options_.machine) return;
  options_.json ? PrintJson(outcome) : PrintText(outcome);
}

void LabPrinter::PrintText(const lab::LabOutcome& outcome) const {
  fmt::print("kernel      {}\ncpu         {}\nmodule      {}\n", hello_.kernel_release,
             hello_.cpu_model, hello_.kvm_module.empty() ? "none" : hello_.kvm_module);
  for (const auto& [name, value] : hello_.parameters) fmt::print("  {} = {}\n", name, value);
  fmt::print("boot        {:.1f} s\ntotal       {:.1f} s\n", Seconds(outcome.boot_time),
             Seconds(outcome.total_time));
  if (outcome.emulated_instructions) {
    fmt::print("emulated    {} instructions\n", *outcome.emulated_instructions);
  }
}

void LabPrinter::PrintJson(const lab::LabOutcome& outcome) const {
  nlohmann::ordered_json json = {
      {"kernel_release", hello_.kernel_release}, {"cpu_model", hello_.cpu_model},
      {"kvm_module", hello_.kvm_module},         {"parameters", hello_.parameters},
      {"boot_s", Seconds(outcome.boot_time)},    {"total_s", Seconds(outcome.total_time)}};
  if (outcome.emulated_instructions) {
    json["emulated_instructions"] = *outcome.emulated_instructions;
  } else {
    json["emulated_instructions"] = {{"missing_because", "the engine did not print it"}};
  }
  fmt::print("{}\n", json.dump(2));
}

}  // namespace plectl::cli
