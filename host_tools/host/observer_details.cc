// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/observer_details.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace plectl::host {
namespace {

using Detail = BpfDetail;
constexpr Detail kDetails[] = {
    {"exit_times", &ObserverDetails::exit_times},
    {"pause_rips", &ObserverDetails::pause_rips},
    {"directed_yields", &ObserverDetails::directed_yields},
    {"hardware", &ObserverDetails::hardware},
};

Status SetDetail(std::string_view name, ObserverDetails& details) {
  for (const Detail& detail : kDetails) {
    if (detail.name != name) continue;
    if (details.*detail.member) return BadInput(fmt::format("--observe names {} twice", name));
    details.*detail.member = true;
    return OkStatus();
  }
  return BadInput(fmt::format("--observe \"{}\": there is no such detail", name),
                  fmt::format("there are: {}", AllDetailNames()));
}

}  // namespace

std::vector<BpfDetail> BpfDetailsOf(const ObserverDetails& details) {
  std::vector<BpfDetail> set;
  for (const Detail& detail : kDetails) {
    if (details.*detail.member && detail.member != &ObserverDetails::hardware) {
      set.push_back(detail);
    }
  }
  return set;
}

std::vector<std::string> DetailNames(const ObserverDetails& details) {
  std::vector<std::string> names;
  for (const Detail& detail : kDetails) {
    if (details.*detail.member) names.emplace_back(detail.name);
  }
  return names;
}

std::string AllDetailNames() {
  return fmt::format("{}", fmt::join(DetailNames({true, true, true, true}), ", "));
}

Result<ObserverDetails> ParseDetails(std::string_view list) {
  ObserverDetails details;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    PLECTL_RETURN_IF_ERROR(SetDetail(list.substr(start, end - start), details));
    start = end + 1;
  }
  return details;
}

}  // namespace plectl::host
