// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host_tools/base/result.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::guests {

struct VmmOptions {
  std::optional<std::filesystem::path> payload_elf;  // nothing: the embedded one
};

// Runs payloads in VMs of its own through /dev/kvm.
class VmmRunner : public GuestRunner {
 public:
  // Reads and checks the payload; BadInput names the file. Does not touch KVM.
  static Result<VmmRunner> Create(const VmmOptions& options);

  Result<GuestResult> Run(const GuestRequest& request, GuestObserver& observer) override;

  [[nodiscard]] const PayloadImage& payload() const { return payload_; }

 private:
  explicit VmmRunner(PayloadImage payload) : payload_(std::move(payload)) {}

  PayloadImage payload_;
};

}  // namespace plectl::guests
