// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "host_tools/base/file.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/console.h"

namespace plectl::lab {
namespace {

constexpr std::chrono::seconds kVersionDeadline(30);

Result<Fd> MakeFifo(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) {
    return SystemFailure(fmt::format("create the FIFO {}", path.string()), errno);
  }
  // Read and write: the engine's opening never waits for us, and its closing is no end of file.
  return OpenFile(path, O_RDWR | O_NONBLOCK);
}

}  // namespace

Result<Engine> Engine::Boot(const LabOptions& options, const std::filesystem::path& directory) {
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(directory / kConfigFile, BochsConfig(options)));
  return Start({options.engine, "-q", "-f", std::string(kConfigFile)}, directory);
}

Result<Engine> Engine::Resume(const LabOptions& options, const std::filesystem::path& directory) {
  return Start({options.engine, "-q", "-r", std::string(kStateDirectory)}, directory);
}

Result<Engine> Engine::Start(std::vector<std::string> argv,
                             const std::filesystem::path& directory) {
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(directory / kDebuggerFile, "c\n"));
  PLECTL_ASSIGN_OR_RETURN(Fd console, MakeFifo(directory / kConsoleFile));
  PLECTL_ASSIGN_OR_RETURN(Fd frames, MakeFifo(directory / kFramesFile));
  ChildOptions child;
  child.argv = std::move(argv);
  child.argv.insert(child.argv.end(), {"-rc", std::string(kDebuggerFile)});
  child.working_directory = directory;
  child.output_file = directory / kEngineOutputFile;
  child.new_network_namespace = true;
  PLECTL_ASSIGN_OR_RETURN(Child process, Child::Start(child));
  return Engine(directory, std::move(console), std::move(frames), std::move(process));
}

std::optional<uint64_t> Engine::EmulatedInstructions() const {
  const Result<std::string> output = ReadFile(directory_ / kEngineOutputFile);
  return output ? ParseEmulatedInstructions(*output) : std::nullopt;
}

std::string Engine::LastOutput() const {
  const Result<std::string> output = ReadFile(directory_ / kEngineOutputFile);
  Console lines;
  lines.Feed(output.value_or(""));
  return lines.Tail();
}

Result<std::string> EngineVersion(std::string_view engine) {
  ChildOptions options;
  options.argv = {std::string(engine), "--help", "cpu"};
  PLECTL_ASSIGN_OR_RETURN(const ChildOutput output, RunChild(options, kVersionDeadline));
  const std::optional<std::string> version = ParseEngineVersion(output.out + output.err);
  if (version) return *version;
  return Environment(fmt::format("{} is not the PC emulator Bochs", engine),
                     "sudo apt-get install bochs");
}

}  // namespace plectl::lab
