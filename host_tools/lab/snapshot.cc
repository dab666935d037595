// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/snapshot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>

#include "host_tools/base/file.h"
#include "host_tools/base/sha256.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/display.h"
#include "host_tools/lab/engine.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/job_memory.h"
#include "host_tools/lab/little_endian.h"
#include "host_tools/lab/program_identity.h"
#include "host_tools/lab/required_files.h"
#include "host_tools/lab/session.h"
#include "host_tools/lab/system_image.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;  // of what a snapshot is made of beyond what the key covers anyway
constexpr size_t kKeyDigits = 16;
constexpr std::chrono::seconds kSaveDeadline(60);
constexpr std::string_view kMemoryFile = "memory.ram";

Result<std::string> FileHash(const fs::path& file) {
  PLECTL_ASSIGN_OR_RETURN(const std::string content, ReadFile(file));
  return Sha256Hex(content);
}

Status WriteAt(const Fd& file, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return SystemFailure("write into the lab's memory", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return OkStatus();
}

// Bochs keeps the guest-physical address as offset in its file (for memory below its PCI hole).
Status FillJobMemory(const fs::path& state, std::string_view job_image) {
  PLECTL_ASSIGN_OR_RETURN(const Fd memory, OpenFile(state / kMemoryFile, O_RDWR));
  PLECTL_RETURN_IF_ERROR(WriteAt(memory, job_image, kJobMemoryAddress + kJobImageOffset));
  std::string filled;
  AppendLittleEndian(filled, kJobMemoryFilled);
  return WriteAt(memory, filled, kJobMemoryAddress);
}

// The word that the waiting agent wrote must stand where jobs will be written.
Status CheckSavedMemory(const fs::path& state) {
  PLECTL_ASSIGN_OR_RETURN(const Fd memory, OpenFile(state / kMemoryFile, O_RDONLY));
  std::string word(sizeof(uint32_t), '\0');
  const ssize_t count = ::pread(memory.get(), word.data(), word.size(), kJobMemoryAddress);
  if (count == static_cast<ssize_t>(word.size()) && ReadLittleEndian(word) == kJobMemoryWaiting) {
    return OkStatus();
  }
  return Inconclusive("the emulator's saved memory does not hold the waiting agent");
}

Status MakeResumable(const fs::path& state) {
  const fs::path file = state / "config";
  PLECTL_ASSIGN_OR_RETURN(const std::string saved, ReadFile(file));
  const std::optional<std::string> config = ResumableConfig(saved);
  if (!config) return Inconclusive("the emulator saved a configuration that is not understood");
  return WriteFileAtomically(file, *config);
}

Status SaveAndEnd(Engine& engine, const fs::path& directory) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(directory / kStateDirectory));
  PLECTL_ASSIGN_OR_RETURN(Fd connection, engine.ConnectToDisplay());
  PLECTL_ASSIGN_OR_RETURN(Display display, Display::Open(std::move(connection)));
  PLECTL_RETURN_IF_ERROR(display.SaveState(kStateDirectory));
  PLECTL_ASSIGN_OR_RETURN(const std::optional<ChildExit> exit,
                          engine.process().Wait(kSaveDeadline));
  if (exit) return OkStatus();
  return Inconclusive(
      fmt::format("the emulator did not save its state within {} s", kSaveDeadline.count()));
}

}  // namespace

Result<std::string> SnapshotKey(const LabOptions& options, const LabKernel& kernel,
                                std::string_view engine_version) {
  PLECTL_ASSIGN_OR_RETURN(const fs::path engine, EngineFile(HostRoot(), options.engine));
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n", kFormat, kernel.directory.string(),
                                 ProgramIdentity(), InitScript(), BochsConfig(options));
  text += KernelCommandLine(options, engine_version);
  for (const fs::path& file : {engine, fs::path(kBusybox), fs::path(kBiosImage),
                               fs::path(kVgaBiosImage), fs::path(kIsolinux)}) {
    PLECTL_ASSIGN_OR_RETURN(const std::string hash, FileHash(file));
    text += '\n' + hash;
  }
  return Sha256Hex(text).substr(0, kKeyDigits);
}

Status SaveSnapshot(const LabOptions& options, const fs::path& directory, LabObserver& observer) {
  PLECTL_ASSIGN_OR_RETURN(Engine engine, Engine::Boot(options, directory));
  PLECTL_RETURN_IF_ERROR(AwaitReady(engine, options, observer));
  PLECTL_RETURN_IF_ERROR(SaveAndEnd(engine, directory));
  PLECTL_RETURN_IF_ERROR(CheckSavedMemory(directory / kStateDirectory));
  return MakeResumable(directory / kStateDirectory);
}

Status CopySnapshot(const Snapshot& snapshot, std::string_view job_image,
                    const fs::path& run_directory) {
  PLECTL_RETURN_IF_ERROR(LinkInto(snapshot.directory / kIsoFile, run_directory / kIsoFile));
  const fs::path state = run_directory / kStateDirectory;
  PLECTL_RETURN_IF_ERROR(MakeDirectories(state));
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(snapshot.directory / kStateDirectory, error)) {
    PLECTL_RETURN_IF_ERROR(CopySparse(entry.path(), state / entry.path().filename()));
  }
  if (error) return SystemFailure("list a snapshot of the lab", error.value());
  return FillJobMemory(state, job_image);
}

}  // namespace plectl::lab
