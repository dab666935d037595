// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/metrics/metrics_builder.h"

namespace plectl::metrics {

struct PushOptions {
  std::string url;  // "http://HOST:PORT", with a path where the gateway has one
  std::string job;  // the first part of the grouping key
  Labels grouping;  // the others, in this order
  std::filesystem::path basic_auth_file;  // USER:PASSWORD; empty: none
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{30'000};  // of the whole push
};

// BadInput unless it is "http://..." or "https://..." without user, query and fragment.
Status CheckPushUrl(std::string_view url);

// "KEY=VALUE" with a label's name for a key; the value may be empty. BadInput otherwise.
Result<Label> ParseGrouping(std::string_view text);

// Where a group is: URL/metrics/job/JOB/KEY/VALUE..., with values in base64 where a path cannot
// hold them.
std::string GroupUrl(const PushOptions& options);

// Replaces the group's metrics by `text` (text format 0.0.4). Environment error when the gateway is
// away, too slow or refuses: then with what it said.
Status Push(const PushOptions& options, const std::string& text);

}  // namespace plectl::metrics
