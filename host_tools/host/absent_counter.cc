// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/absent_counter.h"

#include <string>

namespace plectl::host {
namespace {

class AbsentCounter : public ExitCounter {
 public:
  [[nodiscard]] std::string_view name() const override { return kNoObserverName; }
  Status Arm(pid_t /*tgid*/, std::span<const pid_t> /*tids*/) override { return OkStatus(); }
  Result<ExitCounts> Read() override;
};

Result<ExitCounts> AbsentCounter::Read() {
  const std::string why(kNoObserverBecause);
  ExitCounts counts;
  counts.attached = false;
  counts.by_reason_missing_because = why;
  for (Count* count : {&counts.total, &counts.pause_exits, &counts.window_updates,
                       &counts.window_growths, &counts.window_shrinks}) {
    *count = Count::Missing(why);
  }
  return counts;
}

}  // namespace

std::unique_ptr<ExitCounter> MakeAbsentCounter() { return std::make_unique<AbsentCounter>(); }

}  // namespace plectl::host
