// SPDX-License-Identifier: Apache-2.0
// Hostile kernels of --lab-kernel: the header of a bzImage, the configuration in it, and what the
// packages say of their modules must neither crash nor read out of bounds, and a release that is
// taken is the name of a file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "host_tools/lab/kernel_config.h"
#include "host_tools/lab/kernel_image.h"
#include "host_tools/lab/kernel_modules.h"
#include "host_tools/lab/kernel_package.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace lab = plectl::lab;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto header = lab::ParseImageHeader(bytes)) {
    const bool plain = header->release.find('/') == std::string::npos &&
                       header->release.find('\0') == std::string::npos;
    const char* const end = bytes.data() + bytes.size();
    const bool inside =
        header->payload.empty() || (header->payload.data() >= bytes.data() &&
                                    header->payload.data() + header->payload.size() <= end);
    if (!plain || header->release.empty() || header->release.front() == '.' || !inside)
      std::abort();
    (void)lab::EmbeddedConfig(header->payload);
  }
  const std::string text(lab::EmbeddedConfig(bytes).value_or(std::string(bytes)));
  lab::LabOptions options;
  options.cpus = 2;
  options.disk = "disk";
  (void)lab::CheckKernelConfig(lab::KernelConfig::Parse(text), options, "fuzz");
  (void)lab::OptionMissingByBehaviour(bytes);
  (void)lab::ParseModuleFiles(bytes, {"kvm-intel"});
  (void)lab::FunctionsIn(bytes);
  if (const auto package = lab::ParseKernelPackage(bytes)) {
    if (package->find('/') != std::string::npos) std::abort();
    if (lab::ParseKernelParts(*package, bytes).empty()) std::abort();
  }
  return 0;
}
