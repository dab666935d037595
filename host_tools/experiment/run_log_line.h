// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <variant>

#include "host_tools/base/result.h"
#include "host_tools/experiment/control_record.h"
#include "host_tools/experiment/json_value.h"
#include "host_tools/experiment/manifest.h"
#include "host_tools/experiment/trial_record.h"

namespace plectl::experiment {

inline constexpr size_t kRunLogLineBytesMax = size_t{16} << 20;

// What a line of a run log says: nothing when it is empty.
using RunLogLine = std::variant<std::monostate, Manifest, ControlRecord, TrialRecord>;

// BadInput that names the field. Of a trial only `parts` are returned. `parser` does the work; what
// it does not accept is parsed again by ParseJsonObject(), which accepts a little more and says
// what is wrong with the rest. `readable_after` bytes after the line can be read, whatever they
// hold.
Result<RunLogLine> ParseRunLogLine(std::string_view line, TrialParts parts, FastJson& parser,
                                   size_t readable_after = 0);

}  // namespace plectl::experiment
