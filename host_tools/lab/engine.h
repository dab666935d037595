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

// A running emulator. Its outputs are FIFOs that never block the reader and never end by
// themselves: when process().exit_fd() is readable, what is in them is all.
class Engine {
 public:
  // Starts the PC that boots kIsoFile in `directory`, in a network namespace of its own: Bochs's
  // display listens on all addresses, port 5900, and nobody shall reach it or be in its way.
  static Result<Engine> Boot(const LabOptions& options, const std::filesystem::path& directory);
  // Starts the PC in the state that kStateDirectory in `directory` holds, isolated alike.
  static Result<Engine> Resume(const LabOptions& options, const std::filesystem::path& directory);

  [[nodiscard]] Child& process() { return process_; }
  [[nodiscard]] int console_fd() const { return console_.get(); }
  [[nodiscard]] int frames_fd() const { return frames_.get(); }
  // Once it has ended: how many instructions it emulated, if it says so.
  [[nodiscard]] std::optional<uint64_t> EmulatedInstructions() const;
  // The last lines of what it printed, made printable.
  [[nodiscard]] std::string LastOutput() const;

 private:
  static Result<Engine> Start(std::vector<std::string> argv,
                              const std::filesystem::path& directory);
  Engine(std::filesystem::path directory, Fd console, Fd frames, Child process)
      : directory_(std::move(directory)),
        console_(std::move(console)),
        frames_(std::move(frames)),
        process_(std::move(process)) {}
  std::filesystem::path directory_;
  Fd console_;
  Fd frames_;
  Child process_;
};

// The engine's version, "2.7".
Result<std::string> EngineVersion(std::string_view engine);

}  // namespace plectl::lab
