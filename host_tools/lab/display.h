// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::lab {

// A TCP connection to 127.0.0.1:`port` as the process `pid` sees it, in whatever network namespace
// that lives. The caller must own that process. Environment error when nobody listens.
Result<Fd> ConnectAsSeenBy(pid_t pid, uint16_t port);

// A connection to the socket file `name` in `directory`, whose path may be longer than a socket's.
Result<Fd> ConnectToSocketFile(const std::filesystem::path& directory, std::string_view name);

// Bochs's display, which speaks the remote framebuffer protocol 3.3 (RFC 6143), as the mouse and
// keyboard of its user: the only way to the buttons of its tool bar.
class Display {
 public:
  // The handshake on a fresh connection. Inconclusive error when the other side is no such display.
  static Result<Display> Open(Fd connection);

  // Presses the button "save state", names the `directory` (which exists; relative to the engine's
  // working directory; plain ASCII) and answers that the simulation shall end. The engine then
  // writes the files and exits.
  Status SaveState(std::string_view directory);

 private:
  Display(Fd connection, uint16_t width) : connection_(std::move(connection)), width_(width) {}
  Status Click(uint16_t x, uint16_t y);
  Status Type(std::string_view text);
  Status PressKey(uint32_t key_symbol);

  Fd connection_;
  uint16_t width_;
};

}  // namespace plectl::lab
