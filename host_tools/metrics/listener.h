// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/metrics/listen_address.h"

namespace plectl::metrics {

// A socket that listens there; accept() on it never waits. Environment error, with the reason that
// civetweb does not give, when nobody can listen there now.
Result<Fd> Listen(const ListenAddress& address);

// The port of a listening socket.
Result<uint16_t> PortOf(const Fd& listener);

// Puts `listener` in the place of the socket of this process that listens on 127.0.0.1:`port`, for
// who uses that by its number. Debian's civetweb is built without IPv6: it cannot make such a
// socket, but it can accept connections from one.
Status TakePlaceOf(uint16_t port, const Fd& listener);

}  // namespace plectl::metrics
