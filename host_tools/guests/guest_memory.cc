// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/guest_memory.h"

#include <fmt/format.h>

#include <algorithm>

namespace plectl::guests {

Result<GuestMemory> GuestMemory::Create(size_t size) {
  PLECTL_ASSIGN_OR_RETURN(Mapping mapping, Mapping::Anonymous(size));
  return GuestMemory(std::move(mapping));
}

Status GuestMemory::Write(uint64_t address, Bytes bytes) {
  if (!Slice(mapping_.bytes(), address, bytes.size())) {
    return OutOfRange("write", address, bytes.size());
  }
  std::ranges::copy(bytes, mapping_.data() + address);
  return OkStatus();
}

Status GuestMemory::Populate(uint64_t begin, uint64_t end) {
  constexpr uint64_t kPageSize = 4096;
  if (begin > end || !Slice(mapping_.bytes(), begin, end - begin)) {
    return OutOfRange("populating", begin, end - begin);
  }
  for (uint64_t at = begin & ~(kPageSize - 1); at < end; at += kPageSize) {
    volatile uint8_t& first_byte = mapping_.data()[at];
    first_byte = first_byte;
  }
  return OkStatus();
}

Failure GuestMemory::OutOfRange(const char* what, uint64_t address, size_t size) const {
  return Internal(fmt::format("{} of {:#x} bytes at guest address {:#x}: memory ends at {:#x}",
                              what, size, address, mapping_.size()));
}

}  // namespace plectl::guests
