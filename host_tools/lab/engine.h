// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/child.h"
#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// How nobody but this program can reach the emulator's display, which by itself listens on all
// addresses of the machine.
enum class Isolation {
  kNamespace,   // in a network namespace of its own
  kSocketFile,  // on a socket file of this user's, by a preloaded library; checked after the start
};

// A running emulator. Its outputs are FIFOs that never block the reader and never end by
// themselves: when process().exit_fd() is readable, what is in them is all.
class Engine {
 public:
  // Starts the PC that boots kIsoFile in `directory`. Environment error when it cannot be isolated.
  static Result<Engine> Boot(const LabOptions& options, const std::filesystem::path& directory);
  // Starts the PC in the state that kStateDirectory in `directory` holds.
  static Result<Engine> Resume(const LabOptions& options, const std::filesystem::path& directory);

  [[nodiscard]] Child& process() { return process_; }
  [[nodiscard]] Isolation isolation() const { return isolation_; }
  // A connection to its display; waits until that listens.
  Result<Fd> ConnectToDisplay();
  // Ends it. How many instructions it had emulated until then, if it says so.
  std::optional<uint64_t> Interrupt();
  [[nodiscard]] int console_fd() const { return console_.get(); }
  [[nodiscard]] int frames_fd() const { return frames_.get(); }
  // Once it has ended: how many instructions it emulated, if it says so.
  [[nodiscard]] std::optional<uint64_t> EmulatedInstructions() const;
  // The last lines of what it printed, made printable.
  [[nodiscard]] std::string LastOutput() const;

 private:
  static Result<Engine> Start(std::vector<std::string> argv,
                              const std::filesystem::path& directory);
  Engine(std::filesystem::path directory, Fd console, Fd frames, Isolation isolation, Child process)
      : directory_(std::move(directory)),
        console_(std::move(console)),
        frames_(std::move(frames)),
        isolation_(isolation),
        process_(std::move(process)) {}
  // Waits a moment.
  Result<bool> Ended();
  // Where its display listens, on 127.0.0.1 as the process itself sees it; waits until it does.
  Result<uint16_t> DisplayPort();
  // Waits for its display and ends it unless that is a socket file, and no port.
  Status CheckSocketFile();
  std::filesystem::path directory_;
  Fd console_;
  Fd frames_;
  Isolation isolation_;
  Child process_;
};

// The version of the engine, "2.7"; each engine is asked once in a process.
Result<std::string> EngineVersion(const std::string& engine);

}  // namespace plectl::lab
