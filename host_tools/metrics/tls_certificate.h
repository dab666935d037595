// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "host_tools/base/result.h"

namespace plectl::metrics {

// Whether civetweb can serve TLS with this file, a PEM with a key and its certificate (others may
// follow). BadInput when it is none, or everybody may read it.
Status CheckTlsCertificate(const std::filesystem::path& path);

}  // namespace plectl::metrics
