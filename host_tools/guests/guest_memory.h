// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "host_tools/base/mapping.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/bytes.h"

namespace plectl::guests {

// The guest's RAM from physical address 0 up. The guest changes it while it runs and is not
// trusted: copying in and out of checked ranges is the only way to it.
class GuestMemory {
 public:
  static Result<GuestMemory> Create(size_t size);

  [[nodiscard]] size_t size() const { return mapping_.size(); }
  // For KVM_SET_USER_MEMORY_REGION only.
  [[nodiscard]] uint64_t host_address() const {
    return reinterpret_cast<uint64_t>(mapping_.data());
  }

  // Internal error when the range is not all inside.
  Status Write(uint64_t address, Bytes bytes);
  // Gives the guest real pages in [begin, end), whose content stays. A page that nobody has written
  // is mapped read-only when the guest reads it first: then its first write is a VM exit.
  Status Populate(uint64_t begin, uint64_t end);

  // A copy of the T at `address`; Internal error when it is not all inside.
  template <class T>
  [[nodiscard]] Result<T> Read(uint64_t address) const {
    const auto object = ReadObject<T>(mapping_.bytes(), address);
    if (!object) return OutOfRange("read", address, sizeof(T));
    return *object;
  }

 private:
  explicit GuestMemory(Mapping mapping) : mapping_(std::move(mapping)) {}
  [[nodiscard]] Failure OutOfRange(const char* what, uint64_t address, size_t size) const;

  Mapping mapping_;
};

}  // namespace plectl::guests
