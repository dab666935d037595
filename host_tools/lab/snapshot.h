// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/lab/kernel_package.h"
#include "host_tools/lab/lab.h"
#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// A booted lab that waits for its job, on disk: kIsoFile and kStateDirectory. Never changed; a run
// works on a copy.
struct Snapshot {
  std::filesystem::path directory;
  std::string key;  // what it was made of, 16 hex digits
};

// What a snapshot depends on, as 16 hex digits: kernel package, plectl with its libraries, busybox,
// /init, emulator, firmware, and every option that shapes the machine.
Result<std::string> SnapshotKey(const LabOptions& options, const LabKernel& kernel,
                                std::string_view engine_version);

// Makes the snapshot in a fresh directory from a boot image that is there: boots kIsoFile, waits
// for the agent, has the emulator save itself. `directory` becomes the snapshot's.
Status SaveSnapshot(const LabOptions& options, const std::filesystem::path& directory,
                    LabObserver& observer);

// Puts a copy of the snapshot, with `job_image` in its memory, into the empty `run_directory`.
Status CopySnapshot(const Snapshot& snapshot, std::string_view job_image,
                    const std::filesystem::path& run_directory);

}  // namespace plectl::lab
