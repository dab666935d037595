// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace plectl {

// Owns one file descriptor; move-only, closes it when destroyed. No implicit conversion to int.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, kNone)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { Reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ != kNone; }
  // Closes now. Safe to call twice.
  void Reset();
  // Gives the descriptor away; the caller closes it.
  [[nodiscard]] int Release() { return std::exchange(fd_, kNone); }

 private:
  static constexpr int kNone = -1;
  int fd_ = kNone;
};

}  // namespace plectl
