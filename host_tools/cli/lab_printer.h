// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

#include "host_tools/lab/lab.h"

namespace plectl::cli {

struct LabPrinterOptions {
  bool console = false;  // the lab's console to stderr
  bool machine = false;  // what the lab is to stdout
  bool json = false;     // that as JSON
};

// Prints what comes out of the lab: the job's own streams to ours, unchanged; progress to stderr.
class LabPrinter final : public lab::LabObserver {
 public:
  explicit LabPrinter(const LabPrinterOptions& options) : options_(options) {}

  void OnProgress(std::string_view text) override;
  Status OnBooted(const lab::LabHello& hello, std::chrono::milliseconds boot_time) override;
  Status OnStdout(std::string_view bytes) override;
  Status OnStderr(std::string_view bytes) override;
  void OnConsole(std::string_view line) override;
  // The machine, its times and its emulated instructions.
  void PrintOutcome(const lab::LabOutcome& outcome) const;

 private:
  void PrintText(const lab::LabOutcome& outcome) const;
  void PrintJson(const lab::LabOutcome& outcome) const;

  LabPrinterOptions options_;
  lab::LabHello hello_;
};

}  // namespace plectl::cli
