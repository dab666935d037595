// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"

namespace plectl::metrics {

// Loads, for the rest of the process, what civetweb needs to serve TLS (shim/libssl.c says why it
// does not find it by itself). Environment error when OpenSSL 3 is not installed.
Status LoadTlsLibraries();

}  // namespace plectl::metrics
