// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/lab/hello.h"
#include "host_tools/lab/job.h"
#include "host_tools/lab/kernel_package.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// Told what comes out of the lab, as soon as it is out. An error ends the lab and is what
// RunInLab() returns.
class LabObserver {
 public:
  virtual ~LabObserver() = default;
  // Takes long before there is anything to see.
  virtual void OnProgress(std::string_view /*text*/) {}
  virtual Status OnBooted(const LabHello& /*hello*/, std::chrono::milliseconds /*boot_time*/) {
    return OkStatus();
  }
  virtual Status OnStdout(std::string_view /*bytes*/) { return OkStatus(); }
  virtual Status OnStderr(std::string_view /*bytes*/) { return OkStatus(); }
  // A line of the followed file, without its newline. It is not trusted.
  virtual Status OnRecord(std::string_view /*line*/) { return OkStatus(); }
  // A line of the lab's console, made printable.
  virtual void OnConsole(std::string_view /*line*/) {}
};

struct LabOutcome {
  int exit_code = 0;                        // of the job, 0 to 255; 128 + N when signal N ended it
  std::chrono::milliseconds boot_time{0};   // wall clock, from the engine's start to the hello
  std::chrono::milliseconds total_time{0};  // to the engine's end
  std::optional<uint64_t> emulated_instructions;  // equal for equal runs; nothing if not printed
};

// options.directory, or the default one.
Result<std::filesystem::path> LabDirectory(const LabOptions& options);

// 16 hex digits that name the emulator binary, its version and the lab's kernel, which is fetched
// when it is not there.
Result<std::string> EngineId(const LabOptions& options, const Progress& progress);

// Makes everything that RunInLab() needs and that does not depend on the job. `update_kernel`:
// even when there is a kernel already. Needs the network for the kernel only, never root.
Result<LabKernel> BuildLab(const LabOptions& options, bool update_kernel, const Progress& progress);

// What is known of a lab before it is started, at its places in a fingerprint (host/fingerprint.h):
// its kernel, and what `lab` says of its options; null for a key that it does not have. Fetches the
// kernel if need be.
Result<nlohmann::json> DescribeLab(const LabOptions& options, const Progress& progress);

// Boots the lab (and builds it when needed), runs the job and powers off. Errors: BadInput for the
// job or the options; Environment when the lab cannot be built or started; Inconclusive when it
// hangs, panics, reboots, ends early or sends damaged frames (with the last lines of its console),
// and when a stop was requested. The engine never outlives the call.
Result<LabOutcome> RunInLab(const LabOptions& options, const LabJob& job, LabObserver& observer);

}  // namespace plectl::lab
