// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/output/report.h"

namespace plectl::output {

// One way to write a report down. A new format is a new class and a line in report_format.cc.
class ReportFormat {
 public:
  virtual ~ReportFormat() = default;
  [[nodiscard]] virtual std::string Render(const Report& report) const = 0;
};

// The names of the formats: "text", "csv", "json".
std::span<const std::string_view> ReportFormatNames();
// BadInput with a suggestion when there is no such format.
Result<std::unique_ptr<ReportFormat>> MakeReportFormat(std::string_view name);

// A table for people; what is the same in all rows stands above it, notes and invalid trials below.
std::unique_ptr<ReportFormat> MakeTextFormat();
// RFC 4180 with a header line and CRLF: one line per point and arm, every column.
std::unique_ptr<ReportFormat> MakeCsvFormat();
// One JSON object with all numbers (docs/run_format.md, "report").
std::unique_ptr<ReportFormat> MakeJsonFormat();

}  // namespace plectl::output
