// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/guests/payload_source.h"

namespace plectl::experiment {

// What plans are checked against in tests; parsed once.
inline const guests::PayloadImage& Payloads() {
  static const guests::PayloadImage payloads = guests::EmbeddedPayloads().value();
  return payloads;
}

}  // namespace plectl::experiment
