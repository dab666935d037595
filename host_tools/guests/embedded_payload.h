// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// The payload ELF that is part of this program (CMake target plectl_guest).
Bytes EmbeddedPayloadElf();

}  // namespace plectl::guests
