// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::guests {

// Runs payloads in VMs of its own through /dev/kvm.
class VmmRunner : public GuestRunner {
 public:
  explicit VmmRunner(PayloadImage payload) : payload_(std::move(payload)) {}

  Result<GuestResult> Run(const GuestRequest& request, GuestObserver& observer) override;

 private:
  PayloadImage payload_;
};

}  // namespace plectl::guests
