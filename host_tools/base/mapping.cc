// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/mapping.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <utility>

namespace plectl {

Result<Mapping> Mapping::Anonymous(size_t size) {
  return Map(-1, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
}

Result<Mapping> Mapping::Shared(int fd, size_t size) { return Map(fd, size, MAP_SHARED); }

Result<Mapping> Mapping::Map(int fd, size_t size, int flags) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) return SystemFailure(fmt::format("mmap of {} bytes", size), errno);
  return Mapping(static_cast<uint8_t*>(address), size);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace plectl
