// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/export_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "host_tools/base/text.h"

namespace plectl::output {
namespace {

constexpr std::array<std::string_view, 1> kNames = {"gbench"};

}  // namespace

std::span<const std::string_view> ExportFormatNames() { return kNames; }

Result<std::unique_ptr<ExportFormat>> MakeExportFormat(std::string_view name) {
  if (name == "gbench") return MakeGbenchFormat();
  return BadInput(fmt::format("unknown format \"{}\"{}", name, SuggestionText(name, kNames)),
                  fmt::format("use one of: {}", fmt::join(kNames, ", ")));
}

}  // namespace plectl::output
