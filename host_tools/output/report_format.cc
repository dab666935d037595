// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/report_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "host_tools/base/text.h"

namespace plectl::output {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"text", "csv", "json"};

}  // namespace

std::span<const std::string_view> ReportFormatNames() { return kNames; }

Result<std::unique_ptr<ReportFormat>> MakeReportFormat(std::string_view name) {
  if (name == "text") return MakeTextFormat();
  if (name == "csv") return MakeCsvFormat();
  if (name == "json") return MakeJsonFormat();
  return BadInput(fmt::format("unknown format \"{}\"{}", name, SuggestionText(name, kNames)),
                  fmt::format("use one of: {}", fmt::join(kNames, ", ")));
}

}  // namespace plectl::output
