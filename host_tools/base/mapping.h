// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "host_tools/base/result.h"

namespace plectl {

// Owns one mmap()ed range; move-only, unmaps it when destroyed.
class Mapping {
 public:
  // `size` bytes of zeroed, private, unreserved memory; page-aligned.
  static Result<Mapping> Anonymous(size_t size);
  // `size` bytes of `fd`, shared, readable and writable.
  static Result<Mapping> Shared(int fd, size_t size);

  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] std::span<uint8_t> bytes() const { return {data_, size_}; }
  [[nodiscard]] uint8_t* data() const { return data_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  Mapping(uint8_t* data, size_t size) : data_(data), size_(size) {}
  static Result<Mapping> Map(int fd, size_t size, int flags);

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace plectl
