// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/experiment/run_log.h"

namespace plectl::output {

// One way to hand a run's trials to another program. A report pools them for people; an export
// keeps each one. A new format is a new class and a line in export_format.cc.
class ExportFormat {
 public:
  virtual ~ExportFormat() = default;
  // Depends on `log` only: the same log gives the same bytes anywhere and at any time.
  [[nodiscard]] virtual std::string Render(const experiment::RunLog& log) const = 0;
};

// The names of the formats: "gbench".
std::span<const std::string_view> ExportFormatNames();
// BadInput with a suggestion when there is no such format.
Result<std::unique_ptr<ExportFormat>> MakeExportFormat(std::string_view name);

// What Google Benchmark writes with --benchmark_out_format=json, for its tools: each valid trial is
// one repetition (docs/benchmarks.md, "Run logs as benchmarks").
std::unique_ptr<ExportFormat> MakeGbenchFormat();

}  // namespace plectl::output
