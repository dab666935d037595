// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace plectl::guests {

using Bytes = std::span<const uint8_t>;

// The `size` bytes at `offset`, or nothing when they are not all inside; no input overflows.
inline std::optional<Bytes> Slice(Bytes bytes, uint64_t offset, uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

// The T at `offset`, whatever its alignment there, or nothing when it is not all inside.
template <class T>
std::optional<T> ReadObject(Bytes bytes, uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  const std::optional<Bytes> slice = Slice(bytes, offset, sizeof(T));
  if (!slice) return std::nullopt;
  T object;
  std::memcpy(&object, slice->data(), sizeof(T));
  return object;
}

// The bytes of a plain object.
template <class T>
Bytes ObjectBytes(const T& object) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const uint8_t*>(&object), sizeof(T)};
}

}  // namespace plectl::guests
