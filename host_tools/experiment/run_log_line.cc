// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/run_log_line.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "host_tools/base/text.h"
#include "host_tools/experiment/json_fields.h"

namespace plectl::experiment {
namespace {

template <class T>
Result<RunLogLine> LineOr(Result<T> record) {
  if (!record) return Fail(std::move(record).error());
  return RunLogLine(*std::move(record));
}

Result<RunLogLine> Interpret(const JsonValue& json, TrialParts parts) {
  PLECTL_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(json, "line"));
  PLECTL_ASSIGN_OR_RETURN(const std::string kind, fields.Text("kind"));
  if (kind == "trial") return LineOr(TrialFromJson(json, parts));
  if (kind == "manifest") return LineOr(ManifestFromJson(json.ToTree()));
  if (kind == "control") return LineOr(ControlFromJson(json));
  return fields.Wrong("kind", "\"manifest\", \"control\" or \"trial\"");
}

}  // namespace

Result<RunLogLine> ParseRunLogLine(std::string_view line, TrialParts parts, FastJson& parser,
                                   size_t readable_after) {
  if (Trim(line).empty()) return RunLogLine();
  if (line.size() > kRunLogLineBytesMax) {
    return BadInput(fmt::format("longer than {} bytes", kRunLogLineBytesMax));
  }
  if (const std::optional<JsonValue> json = parser.ParseObject(line, readable_after)) {
    if (Result<RunLogLine> read = Interpret(*json, parts)) return read;
  }
  PLECTL_ASSIGN_OR_RETURN(const nlohmann::json json, ParseJsonObject(line));
  return Interpret(JsonValue(json), parts);
}

}  // namespace plectl::experiment
