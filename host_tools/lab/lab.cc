// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/lab.h"

#include <filesystem>
#include <utility>

#include "host_tools/lab/archive.h"
#include "host_tools/lab/engine.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/iso.h"
#include "host_tools/lab/required_files.h"
#include "host_tools/lab/session.h"
#include "host_tools/lab/system_image.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

Result<fs::path> LabDirectory(const LabOptions& options) {
  if (options.directory.empty()) return DefaultLabDirectory();
  return fs::absolute(options.directory);
}

// What all labs of these options have in common.
struct BuiltLab {
  LabKernel kernel;
  std::string system_image;
};

Result<BuiltLab> Build(const LabOptions& options, const fs::path& directory, bool update_kernel,
                       const Progress& progress) {
  PLECTL_RETURN_IF_ERROR(CheckLabOptions(options));
  PLECTL_RETURN_IF_ERROR(CheckRequiredFiles(HostRoot(), options.engine));
  PLECTL_ASSIGN_OR_RETURN(const Fd lock, LockFile(directory / "lock"));
  BuiltLab built;
  PLECTL_ASSIGN_OR_RETURN(built.kernel, EnsureKernel(directory, update_kernel, progress));
  PLECTL_ASSIGN_OR_RETURN(built.system_image, BuildSystemImage(directory, built.kernel));
  return built;
}

Result<std::string> JobImage(const LabJob& job) {
  Archive archive;
  for (const auto& [path, content] : job.files) archive.AddFile(path, content);
  PLECTL_ASSIGN_OR_RETURN(std::string description, JobToJson(job));
  archive.AddFile(kJobFile, std::move(description), 0644);
  return archive.ToCpio();
}

// The seam for other ways to a booted lab (snapshots): whatever comes back runs the job.
Result<Engine> BootJob(const LabOptions& options, BuiltLab built, const LabJob& job,
                       const fs::path& run_directory) {
  PLECTL_ASSIGN_OR_RETURN(const std::string version, EngineVersion(options.engine));
  PLECTL_ASSIGN_OR_RETURN(std::string job_image, JobImage(job));
  const IsoContent content{built.kernel.directory / "vmlinuz", std::move(built.system_image),
                           std::move(job_image), KernelCommandLine(options, version)};
  PLECTL_RETURN_IF_ERROR(WriteIso(content, run_directory));
  return Engine::Boot(options, run_directory);
}

}  // namespace

Result<LabKernel> BuildLab(const LabOptions& options, bool update_kernel,
                           const Progress& progress) {
  PLECTL_ASSIGN_OR_RETURN(const fs::path directory, LabDirectory(options));
  PLECTL_ASSIGN_OR_RETURN(BuiltLab built, Build(options, directory, update_kernel, progress));
  return std::move(built.kernel);
}

Result<LabOutcome> RunInLab(const LabOptions& options, const LabJob& job, LabObserver& observer) {
  PLECTL_RETURN_IF_ERROR(CheckLabJob(job));
  PLECTL_ASSIGN_OR_RETURN(const fs::path directory, LabDirectory(options));
  const auto progress = [&](std::string_view text) { observer.OnProgress(text); };
  PLECTL_ASSIGN_OR_RETURN(BuiltLab built, Build(options, directory, false, progress));
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory run, ScratchDirectory::Create(directory / "runs"));
  PLECTL_ASSIGN_OR_RETURN(Engine engine, BootJob(options, std::move(built), job, run.path()));
  return RunSession(engine, options, observer);
}

}  // namespace plectl::lab
