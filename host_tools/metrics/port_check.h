// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"
#include "host_tools/metrics/listen_address.h"

namespace plectl::metrics {

// Environment error, with the reason that civetweb does not give, when nobody can listen there now.
Status CheckPortFree(const ListenAddress& address);

}  // namespace plectl::metrics
