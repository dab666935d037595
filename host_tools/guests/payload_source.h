// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "host_tools/base/result.h"
#include "host_tools/guests/payload_image.h"

namespace plectl::guests {

// The payloads that are part of this program, parsed once. An error means a broken build.
Result<PayloadImage> EmbeddedPayloads();

// The payloads of an ELF file of the user's. BadInput that names the file when it cannot be read or
// breaks the contract of guest_workloads/abi/abi.h. Does not touch KVM.
Result<PayloadImage> LoadPayloads(const std::filesystem::path& elf);

}  // namespace plectl::guests
