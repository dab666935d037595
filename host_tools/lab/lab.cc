// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/sha256.h"
#include "host_tools/base/stop.h"
#include "host_tools/lab/archive.h"
#include "host_tools/lab/disk.h"
#include "host_tools/lab/engine.h"
#include "host_tools/lab/engine_facts.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/iso.h"
#include "host_tools/lab/job_image.h"
#include "host_tools/lab/job_memory.h"
#include "host_tools/lab/kernel_config.h"
#include "host_tools/lab/kernel_image.h"
#include "host_tools/lab/lab_facts.h"
#include "host_tools/lab/required_files.h"
#include "host_tools/lab/self_test.h"
#include "host_tools/lab/session.h"
#include "host_tools/lab/snapshot.h"
#include "host_tools/lab/snapshot_store.h"
#include "host_tools/lab/system_image.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

// What all labs of these options have in common.
struct LabParts {
  fs::path directory;
  LabKernel kernel;
  std::string engine_version;
  std::optional<fs::path> disk_modules;  // of a lab with a disk
};

Result<LabParts> Prepare(const LabOptions& options, bool update_kernel, const Progress& progress) {
  PLECTL_RETURN_IF_ERROR(CheckLabOptions(options));
  PLECTL_RETURN_IF_ERROR(CheckRequiredFiles(HostRoot(), options.engine));
  LabParts parts;
  PLECTL_ASSIGN_OR_RETURN(parts.directory, LabDirectory(options));
  PLECTL_RETURN_IF_ERROR(CheckOwnDirectory(parts.directory));
  PLECTL_ASSIGN_OR_RETURN(const Fd lock, LockFile(parts.directory / "lock"));
  PLECTL_ASSIGN_OR_RETURN(parts.kernel,
                          EnsureKernel(parts.directory, options.kernel, update_kernel, progress));
  PLECTL_RETURN_IF_ERROR(CheckKernelConfig(KernelConfig::Parse(ConfigOf(parts.kernel)), options,
                                           parts.kernel.release));
  if (!options.disk.empty()) parts.disk_modules = DiskModulesOf(parts.kernel);
  PLECTL_ASSIGN_OR_RETURN(parts.engine_version, EngineVersion(options.engine));
  return parts;
}

Result<std::string> EngineIdOf(const LabOptions& options, const LabParts& parts) {
  PLECTL_ASSIGN_OR_RETURN(const fs::path file, EngineFile(HostRoot(), options.engine));
  PLECTL_ASSIGN_OR_RETURN(const std::string binary, ReadFile(file));
  return Sha256Hex(fmt::format("{}\n{}\n{}", Sha256Hex(binary), parts.engine_version,
                               parts.kernel.directory.filename().string()))
      .substr(0, 16);
}

// The job with what the lab says of itself, which its fingerprint takes up. `snapshot_key`: empty
// for a cold boot.
Result<LabJob> WithLabFacts(LabJob job, const LabOptions& options, const LabParts& parts,
                            std::string_view snapshot_key) {
  PLECTL_ASSIGN_OR_RETURN(const std::string id, EngineIdOf(options, parts));
  const auto facts = EngineFactsStore(parts.directory).Find(id, LaneOf(options));
  job.files.insert_or_assign(
      std::string(kLabFactsFile),
      LabFacts(options, parts.engine_version, snapshot_key, facts ? &*facts : nullptr).dump());
  return job;
}

size_t BytesOf(const LabJob& job) {
  size_t bytes = 0;
  for (const auto& [path, content] : job.files) bytes += content.size();
  return bytes;
}

Result<std::string> JobArchive(const LabJob& job) {
  Archive archive;
  for (const auto& [path, content] : job.files) archive.AddFile(path, content);
  PLECTL_ASSIGN_OR_RETURN(std::string description, JobToJson(job));
  archive.AddFile(kJobFile, std::move(description), 0644);
  return archive.ToCpio();
}

// Writes the image that boots with `job_archive` as part of its files.
Status WriteBootImage(const LabOptions& options, const LabParts& parts, std::string job_archive,
                      const fs::path& run_directory) {
  IsoContent content;
  content.kernel = parts.kernel.directory / "vmlinuz";
  {
    PLECTL_ASSIGN_OR_RETURN(const Fd lock, LockFile(parts.directory / "lock"));
    PLECTL_ASSIGN_OR_RETURN(content.system_image,
                            BuildSystemImage(parts.directory, parts.kernel, parts.disk_modules));
  }
  content.job_image = std::move(job_archive);
  content.kernel_command_line = KernelCommandLine(options, parts.engine_version);
  return WriteIso(content, run_directory);
}

void SayIsolation(const Engine& engine, LabObserver& observer) {
  if (engine.isolation() == Isolation::kNamespace) return;
  observer.OnProgress(
      "network namespaces are not allowed here: the emulator's display is a file that only this "
      "user may open, and no port (checked)");
}

// A cold lab holds its job as an image and as files, and for a while the image twice.
void MakeRoomForJob(size_t job_bytes, LabOptions& options, LabObserver& observer) {
  constexpr size_t kCopies = 3;
  const auto needed = static_cast<uint32_t>(LabOptions().memory_mib + kCopies * (job_bytes >> 20));
  if (options.memory_mib >= needed) return;
  options.memory_mib = needed;
  observer.OnProgress(fmt::format("the lab gets {} MiB of memory, since its job has {} MiB", needed,
                                  job_bytes >> 20));
}

// Of a kernel without a known configuration nothing could be refused by name before it ran.
Result<LabOutcome> WithMissingOption(Result<LabOutcome> outcome, const LabKernel& kernel) {
  if (outcome || outcome.error().kind != ErrorKind::kInconclusive) return outcome;
  if (!ConfigOf(kernel).empty()) return outcome;
  Error error = outcome.error();
  const std::string_view option = OptionMissingByBehaviour(error.message);
  if (option.empty()) return outcome;
  error.message += fmt::format("\nkernel {} may have been built without {}: that is how it looks",
                               kernel.release, option);
  error.hint += "; a .config beside the kernel image would tell";
  return Fail(std::move(error));
}

Result<LabOutcome> RunCold(LabOptions options, const LabParts& parts, const LabJob& job,
                           LabObserver& observer) {
  options.start = LabStart::kCold;
  // As asked for: more memory for a longer job does not make another host of it.
  PLECTL_ASSIGN_OR_RETURN(const LabJob told, WithLabFacts(job, options, parts, ""));
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory run,
                          ScratchDirectory::Create(parts.directory / "runs"));
  MakeRoomForJob(BytesOf(job), options, observer);
  PLECTL_RETURN_IF_ERROR(CheckLabOptions(options));
  std::optional<Disk> disk;
  if (!options.disk.empty()) {
    PLECTL_ASSIGN_OR_RETURN(disk, Disk::Open(options.disk));
    PLECTL_RETURN_IF_ERROR(disk->Attach(run.path()));
    options.disk_facts = disk->facts();
  }
  PLECTL_ASSIGN_OR_RETURN(std::string archive, JobArchive(told));
  PLECTL_RETURN_IF_ERROR(WriteBootImage(options, parts, std::move(archive), run.path()));
  PLECTL_ASSIGN_OR_RETURN(Engine engine, Engine::Boot(options, run.path()));
  SayIsolation(engine, observer);
  return WithMissingOption(RunSession(engine, options, observer, JobText(job)), parts.kernel);
}

Result<Snapshot> EnsureSnapshot(const LabOptions& options, const LabParts& parts,
                                const std::string& key, LabObserver& observer) {
  const auto make = [&](const fs::path& directory) -> Status {
    observer.OnProgress("booting the lab once, to save it for instant starts");
    PLECTL_RETURN_IF_ERROR(MakeDirectories(directory));
    PLECTL_RETURN_IF_ERROR(WriteBootImage(options, parts, Archive().ToCpio(), directory));
    return SaveSnapshot(options, directory, observer);
  };
  return SnapshotStore(parts.directory).Ensure(key, make);
}

// Passes everything on, and notes whether the lab came up.
class BootWatch final : public LabObserver {
 public:
  explicit BootWatch(LabObserver& observer) : observer_(observer) {}
  void OnProgress(std::string_view text) override { observer_.OnProgress(text); }
  Status OnBooted(const LabHello& hello, std::chrono::milliseconds boot_time) override {
    booted_ = true;
    return observer_.OnBooted(hello, boot_time);
  }
  Status OnStdout(std::string_view bytes) override { return observer_.OnStdout(bytes); }
  Status OnStderr(std::string_view bytes) override { return observer_.OnStderr(bytes); }
  Status OnRecord(std::string_view line) override { return observer_.OnRecord(line); }
  void OnConsole(std::string_view line) override { observer_.OnConsole(line); }
  [[nodiscard]] bool booted() const { return booted_; }

 private:
  LabObserver& observer_;
  bool booted_ = false;
};

Result<LabOutcome> Resume(LabOptions options, const LabParts& parts, const Snapshot& snapshot,
                          const LabJob& job, std::string_view job_image, LabObserver& observer) {
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory run,
                          ScratchDirectory::Create(parts.directory / "runs"));
  // It takes a twentieth of a boot: one that does not come up must not cost more than a boot.
  options.deadlines.boot /= 8;
  PLECTL_RETURN_IF_ERROR(CopySnapshot(snapshot, job_image, run.path()));
  PLECTL_ASSIGN_OR_RETURN(Engine engine, Engine::Resume(options, run.path()));
  SayIsolation(engine, observer);
  return RunSession(engine, options, observer, JobText(job));
}

Result<std::string> JobImageFor(const LabOptions& options, const LabParts& parts, const LabJob& job,
                                std::string_view snapshot_key) {
  PLECTL_ASSIGN_OR_RETURN(LabJob told, WithLabFacts(job, options, parts, snapshot_key));
  told.delay_tsc_cycles = SeedDelay(options);
  return EncodeJobImage(told);
}

// Resumes a snapshot. Where that cannot be (the job does not fit, the emulator cannot save itself,
// the snapshot does not come up), says why and boots.
Result<LabOutcome> RunResumed(const LabOptions& options, const LabParts& parts, const LabJob& job,
                              LabObserver& observer) {
  const auto boot_instead = [&](const std::string& why) {
    observer.OnProgress(fmt::format("booting the lab, since {}", why));
    return RunCold(options, parts, job, observer);
  };
  PLECTL_ASSIGN_OR_RETURN(const std::string key,
                          SnapshotKey(options, parts.kernel, parts.engine_version));
  PLECTL_ASSIGN_OR_RETURN(const std::string image, JobImageFor(options, parts, job, key));
  if (image.size() > kJobMemorySize - kJobImageOffset) {
    return boot_instead(fmt::format("its job of {} MiB is too large for a snapshot (at most {})",
                                    image.size() >> 20, kJobMemorySize >> 20));
  }
  const Result<Snapshot> snapshot = EnsureSnapshot(options, parts, key, observer);
  PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  if (!snapshot && snapshot.error().kind != ErrorKind::kInconclusive) {
    return Fail(snapshot.error());
  }
  if (!snapshot) return boot_instead("no snapshot could be made: " + snapshot.error().message);
  BootWatch watch(observer);
  Result<LabOutcome> outcome = Resume(options, parts, *snapshot, job, image, watch);
  PLECTL_RETURN_IF_ERROR(CheckNotStopped());
  if (outcome || watch.booted()) return outcome;
  // Not after an error of this machine's (a full disk): the snapshot may be as good as before.
  if (outcome.error().kind == ErrorKind::kInconclusive) SnapshotStore(parts.directory).Discard(key);
  return boot_instead("its snapshot did not come up: " + outcome.error().message);
}

}  // namespace

Result<fs::path> LabDirectory(const LabOptions& options) {
  if (options.directory.empty()) return DefaultLabDirectory();
  return fs::absolute(options.directory);
}

Result<std::string> EngineId(const LabOptions& options, const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const LabParts parts, Prepare(options, false, progress));
  return EngineIdOf(options, parts);
}

Result<LabKernel> BuildLab(const LabOptions& options, bool update_kernel,
                           const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(LabParts parts, Prepare(options, update_kernel, progress));
  return std::move(parts.kernel);
}

Result<nlohmann::json> DescribeLab(const LabOptions& options, const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const LabParts parts, Prepare(options, false, progress));
  nlohmann::json lab = LabFacts(options, parts.engine_version, "", nullptr);
  // Known once the emulator was tested; the note follows from it.
  for (const char* key : {"clock_granularity_tsc_cycles", "note"}) lab.erase(key);
  if (!lab.contains("kernel_arguments")) lab["kernel_arguments"] = nullptr;
  nlohmann::json kernel = {{"release", parts.kernel.release}};
  if (const auto build = ImageBuildOf(parts.kernel.directory / "vmlinuz"); build) {
    kernel["build"] = *build;
  }
  return nlohmann::json{{"kernel", std::move(kernel)}, {"lab", std::move(lab)}};
}

Result<LabOutcome> RunInLab(const LabOptions& options, const LabJob& job, LabObserver& observer) {
  PLECTL_RETURN_IF_ERROR(CheckLabJob(job));
  const auto progress = [&](std::string_view text) { observer.OnProgress(text); };
  PLECTL_ASSIGN_OR_RETURN(const LabParts parts, Prepare(options, false, progress));
  const bool has_disk = !options.disk.empty();
  if (options.start == LabStart::kCold || options.verbose_console || has_disk) {
    return RunCold(options, parts, job, observer);
  }
  return RunResumed(options, parts, job, observer);
}

}  // namespace plectl::lab
