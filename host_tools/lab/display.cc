// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/display.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <initializer_list>
#include <string>
#include <thread>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"

namespace plectl::lab {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kAnswerDeadline(20);
// The engine polls its input every few million emulated instructions: events must not pile up.
constexpr milliseconds kBetweenEvents(50);
constexpr milliseconds kBeforeAnswer(500);  // the prompt is drawn

constexpr std::string_view kProtocol = "RFB 003.003\n";
constexpr uint8_t kKeyEvent = 4;
constexpr uint8_t kPointerEvent = 5;
constexpr uint32_t kReturnKey = 0xff0d;  // XK_Return
// The tool bar of Bochs's gui/gui.cc, from the right: power, reset, suspend/resume at 48 pixels.
constexpr uint16_t kSaveButtonFromRight = 48;
constexpr uint16_t kSaveButtonY = 10;

std::string BigEndian(std::initializer_list<uint16_t> values) {
  std::string bytes;
  for (const uint16_t value : values) {
    bytes.push_back(static_cast<char>(value >> 8));
    bytes.push_back(static_cast<char>(value & 0xff));
  }
  return bytes;
}

// Exactly `count` bytes of the display, within the deadline.
Result<std::string> Receive(const Fd& connection, size_t count) {
  const int64_t deadline_ns = MonotonicNs() + std::chrono::nanoseconds(kAnswerDeadline).count();
  std::string bytes;
  while (bytes.size() < count) {
    pollfd poll_fd{connection.get(), POLLIN, 0};
    const int64_t left_ms = (deadline_ns - MonotonicNs()) / 1'000'000;
    if (left_ms <= 0) return Inconclusive("the emulator's display does not answer");
    if (::poll(&poll_fd, 1, static_cast<int>(left_ms)) < 0 && errno != EINTR) {
      return SystemFailure("poll of the emulator's display", errno);
    }
    if (poll_fd.revents == 0) continue;
    std::string buffer(count - bytes.size(), '\0');
    const ssize_t got = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Inconclusive("the emulator's display closed the connection");
    bytes.append(buffer, 0, static_cast<size_t>(got));
  }
  return bytes;
}

uint16_t Word(std::string_view bytes) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 |
                               static_cast<uint8_t>(bytes[1]));
}

}  // namespace

Result<Display> Display::Open(Fd connection) {
  PLECTL_ASSIGN_OR_RETURN(const std::string protocol, Receive(connection, kProtocol.size()));
  if (!protocol.starts_with("RFB ")) {
    return Inconclusive("what listens there is not the emulator's display");
  }
  PLECTL_RETURN_IF_ERROR(WriteAll(connection.get(), kProtocol));
  PLECTL_ASSIGN_OR_RETURN(const std::string security, Receive(connection, 4));
  if (security != BigEndian({0, 1})) {
    return Inconclusive("the emulator's display asks for a password");
  }
  PLECTL_RETURN_IF_ERROR(WriteAll(connection.get(), "\x01"));  // ClientInit: shared
  // ServerInit: width, height, 16 bytes of pixel format, the length of the name, the name.
  PLECTL_ASSIGN_OR_RETURN(const std::string init, Receive(connection, 24));
  PLECTL_RETURN_IF_ERROR(Receive(connection, Word(std::string_view(init).substr(22))));
  return Display(std::move(connection), Word(init));
}

Status Display::SaveState(std::string_view directory) {
  if (width_ <= kSaveButtonFromRight) return Inconclusive("the emulator's display is too narrow");
  PLECTL_RETURN_IF_ERROR(Click(static_cast<uint16_t>(width_ - kSaveButtonFromRight), kSaveButtonY));
  std::this_thread::sleep_for(kBeforeAnswer);
  PLECTL_RETURN_IF_ERROR(Type(directory));
  PLECTL_RETURN_IF_ERROR(PressKey(kReturnKey));
  std::this_thread::sleep_for(kBeforeAnswer);
  return PressKey(kReturnKey);  // "the simulation ends": yes
}

Status Display::Click(uint16_t x, uint16_t y) {
  for (const char buttons : {'\0', '\1', '\0'}) {
    const std::string event{static_cast<char>(kPointerEvent), buttons};
    PLECTL_RETURN_IF_ERROR(WriteAll(connection_.get(), event + BigEndian({x, y})));
    std::this_thread::sleep_for(kBetweenEvents);
  }
  return OkStatus();
}

Status Display::Type(std::string_view text) {
  for (const char c : text) PLECTL_RETURN_IF_ERROR(PressKey(static_cast<uint8_t>(c)));
  return OkStatus();
}

Status Display::PressKey(uint32_t key_symbol) {
  for (const char down : {'\1', '\0'}) {
    const std::string event{static_cast<char>(kKeyEvent), down};
    PLECTL_RETURN_IF_ERROR(WriteAll(
        connection_.get(), event + BigEndian({0, static_cast<uint16_t>(key_symbol >> 16),
                                              static_cast<uint16_t>(key_symbol & 0xffff)})));
  }
  std::this_thread::sleep_for(kBetweenEvents / 5);
  return OkStatus();
}

}  // namespace plectl::lab
