// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host_tools/base/result.h"

namespace plectl {

// Once, at the start of main(): what is printed later can neither end a command half-way nor land
// in a file that is not meant for it.
// - Descriptors 0 to 2 are open: where one was closed, writing to it fails and reading finds the
//   end, and no file that is opened later gets its number.
// - SIGPIPE and SIGXFSZ are ignored: the write fails instead.
// - A write to stdout or stderr never fails for the one who prints, and never blocks once a stop is
//   requested (StopSignal): what could not be written is dropped and remembered.
void PrepareStandardStreams();

// Flushes stdout. An Environment error with the first cause when anything of it has
// not been written.
Status FlushStandardOutput();

// Whether the reader of stdout has gone, as `head` does: his own wish, and no news to him.
bool StandardOutputHasNoReader();

}  // namespace plectl
