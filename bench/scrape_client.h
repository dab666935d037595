// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "host_tools/base/result.h"

namespace plectl::bench {

// Scrapes 127.0.0.1:`port`/metrics as Prometheus does, compressed; how many bytes came, the head
// included. Inconclusive when the answer is no "200 OK".
Result<size_t> ScrapeOverHttp(uint16_t port);

}  // namespace plectl::bench
