// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace plectl::metrics {

// The families of the last Publish(). A scrape copies them outside of the lock, so that who
// publishes waits for a pointer to be swapped and never for a scrape.
class Snapshot final : public prometheus::Collectable {
 public:
  using Families = std::vector<prometheus::MetricFamily>;

  void Publish(Families families) {
    auto next = std::make_shared<const Families>(std::move(families));
    const std::lock_guard lock(mutex_);
    families_.swap(next);
  }

  [[nodiscard]] Families Collect() const override {
    std::shared_ptr<const Families> families;
    {
      const std::lock_guard lock(mutex_);
      families = families_;
    }
    return *families;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Families> families_ = std::make_shared<const Families>();
};

}  // namespace plectl::metrics
