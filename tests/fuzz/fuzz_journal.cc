// SPDX-License-Identifier: Apache-2.0
// No text makes the journal's reader crash, and what it accepts survives a round trip.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "host_tools/host/param_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plectl::host;  // NOLINT(google-build-using-namespace)
  const auto journal = ParseJournal({reinterpret_cast<const char*>(data), size});
  if (!journal) return 0;
  const auto again = ParseJournal(FormatJournal(*journal));
  if (!again || again->originals != journal->originals || again->pid != journal->pid) std::abort();
  return 0;
}
