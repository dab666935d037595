// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/dropping_counter.h"

#include <fmt/format.h>

#include <numeric>
#include <string>
#include <utility>

namespace plectl::host {
namespace {

class DroppingCounter : public ExitCounter {
 public:
  DroppingCounter(uint64_t nth, std::unique_ptr<ExitCounter> counter)
      : nth_(nth),
        counter_(std::move(counter)),
        name_(fmt::format("{}, dropping every {}th", counter_->name(), nth)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override { return counter_->Arm(tgid, tids); }
  Result<ExitCounts> Read() override;

 private:
  uint64_t nth_;
  std::unique_ptr<ExitCounter> counter_;
  std::string name_;
};

Result<ExitCounts> DroppingCounter::Read() {
  PLECTL_ASSIGN_OR_RETURN(ExitCounts counts, counter_->Read());
  std::vector<uint64_t>& by_vcpu = counts.pause_exits_by_vcpu;
  for (uint64_t& pause_exits : by_vcpu) pause_exits -= pause_exits / nth_;
  counts.pause_exits = std::accumulate(by_vcpu.begin(), by_vcpu.end(), uint64_t{0});
  return counts;
}

}  // namespace

std::unique_ptr<ExitCounter> DropEveryNth(uint64_t nth, std::unique_ptr<ExitCounter> counter) {
  return std::make_unique<DroppingCounter>(nth, std::move(counter));
}

}  // namespace plectl::host
