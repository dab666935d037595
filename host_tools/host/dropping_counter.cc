// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/dropping_counter.h"

#include <fmt/format.h>

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
  Status SetAttached(bool attached) override { return counter_->SetAttached(attached); }
  Status Arm(pid_t tgid, std::span<const pid_t> tids) override { return counter_->Arm(tgid, tids); }
  Result<ExitCounts> Read() override;

 private:
  uint64_t nth_;
  std::unique_ptr<ExitCounter> counter_;
  std::string name_;
};

Result<ExitCounts> DroppingCounter::Read() {
  PLECTL_ASSIGN_OR_RETURN(ExitCounts counts, counter_->Read());
  uint64_t left = 0;
  for (VcpuCounts& vcpu : counts.vcpus) {
    vcpu.pause_exits -= vcpu.pause_exits / nth_;
    left += vcpu.pause_exits;
  }
  counts.pause_exits = left;
  return counts;
}

}  // namespace

std::unique_ptr<ExitCounter> DropEveryNth(uint64_t nth, std::unique_ptr<ExitCounter> counter) {
  return std::make_unique<DroppingCounter>(nth, std::move(counter));
}

}  // namespace plectl::host
