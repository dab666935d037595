// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <system_error>

#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/console.h"
#include "host_tools/lab/display.h"
#include "host_tools/lab/embedded.h"
#include "host_tools/lab/listening.h"

namespace plectl::lab {
namespace {

constexpr std::chrono::seconds kVersionDeadline(30);
constexpr std::chrono::seconds kDisplayDeadline(30);
constexpr int kPollIntervalMs = 5;
// Its name stands in shim/display_socket.c too.
constexpr std::string_view kDisplayFile = "display.sock";
constexpr std::string_view kShimFile = "display_socket.so";

Result<Fd> MakeFifo(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) {
    return SystemFailure(fmt::format("create the FIFO {}", path.string()), errno);
  }
  // Read and write: the engine's opening never waits for us, and its closing is no end of file.
  return OpenFile(path, O_RDWR | O_NONBLOCK);
}

Status Isolate(Isolation isolation, const std::filesystem::path& directory, ChildOptions& child) {
  if (isolation == Isolation::kNamespace) {
    child.new_network_namespace = true;
    return OkStatus();
  }
  child.environment.emplace_back("LD_PRELOAD", fmt::format("./{}", kShimFile));
  return WriteFileAtomically(directory / kShimFile, EmbeddedDisplayShim(), 0755);
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
  const Isolation isolation =
      NetworkNamespacesAllowed() ? Isolation::kNamespace : Isolation::kSocketFile;
  PLECTL_RETURN_IF_ERROR(Isolate(isolation, directory, child));
  PLECTL_ASSIGN_OR_RETURN(Child process, Child::Start(child));
  Engine engine(directory, std::move(console), std::move(frames), isolation, std::move(process));
  if (isolation == Isolation::kSocketFile) PLECTL_RETURN_IF_ERROR(engine.CheckSocketFile());
  return engine;
}

Result<uint16_t> Engine::DisplayPort() {
  const int64_t deadline_ns = MonotonicNs() + std::chrono::nanoseconds(kDisplayDeadline).count();
  while (MonotonicNs() < deadline_ns) {
    PLECTL_ASSIGN_OR_RETURN(const auto sockets, ListeningSocketsOf(HostRoot(), process_.pid()));
    if (!sockets.empty()) return sockets.front().port;
    PLECTL_ASSIGN_OR_RETURN(const bool ended, Ended());
    if (ended) return Inconclusive("the emulator ended at its start:\n" + LastOutput());
  }
  return Inconclusive("the emulator's display does not listen on any port");
}

Result<bool> Engine::Ended() {
  pollfd poll_fd{process_.exit_fd(), POLLIN, 0};
  if (::poll(&poll_fd, 1, kPollIntervalMs) < 0 && errno != EINTR) {
    return SystemFailure("poll of the emulator", errno);
  }
  return poll_fd.revents != 0;
}

Status Engine::CheckSocketFile() {
  const int64_t deadline_ns = MonotonicNs() + std::chrono::nanoseconds(kDisplayDeadline).count();
  while (MonotonicNs() < deadline_ns) {
    PLECTL_ASSIGN_OR_RETURN(const auto ports, ListeningSocketsOf(HostRoot(), process_.pid()));
    if (!ports.empty()) {
      process_.Kill();
      return Environment(
          "the emulator's display listens on a port of this machine, and cannot be kept in a "
          "network namespace; it was ended at once",
          "run as root, or allow user namespaces (sysctl user.max_net_namespaces)");
    }
    if (std::error_code error; std::filesystem::is_socket(directory_ / kDisplayFile, error)) {
      return OkStatus();
    }
    PLECTL_ASSIGN_OR_RETURN(const bool ended, Ended());
    if (ended) return Inconclusive("the emulator ended at its start:\n" + LastOutput());
  }
  return Inconclusive("the emulator's display does not listen");
}

Result<Fd> Engine::ConnectToDisplay() {
  if (isolation_ == Isolation::kSocketFile) return ConnectToSocketFile(directory_, kDisplayFile);
  PLECTL_ASSIGN_OR_RETURN(const uint16_t port, DisplayPort());
  return ConnectAsSeenBy(process_.pid(), port);
}

std::optional<uint64_t> Engine::Interrupt() {
  constexpr std::chrono::seconds kAnswer(5);
  // Its debugger says where it is, finds that nobody is there to talk to, and ends.
  ::kill(process_.pid(), SIGINT);
  (void)process_.Wait(kAnswer);
  process_.Kill();
  return EmulatedInstructions();
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

Result<std::string> EngineVersion(const std::string& engine) {
  static std::map<std::string, std::string> known;
  if (const auto found = known.find(engine); found != known.end()) return found->second;
  ChildOptions options;
  options.argv = {engine, "--help", "cpu"};
  PLECTL_ASSIGN_OR_RETURN(const ChildOutput output, RunChild(options, kVersionDeadline));
  const std::optional<std::string> version = ParseEngineVersion(output.out + output.err);
  if (version) return known[engine] = *version;
  return Environment(fmt::format("{} is not the PC emulator Bochs", engine),
                     "sudo apt-get install bochs");
}

}  // namespace plectl::lab
