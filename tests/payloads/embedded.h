// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// The test guests as parts of the test program, so that it runs anywhere.
Bytes HostileGuestElf();
Bytes WrongAbiGuestElf();

}  // namespace plectl::guests
