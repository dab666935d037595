// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"

namespace plectl::lab {

// What the PC must know of its disk.
struct DiskFacts {
  uint32_t cylinders = 0;
  uint64_t written_at_s = 0;  // when its file system was last written, by the clock of the writer
};

inline constexpr uint32_t kDiskHeads = 16;
inline constexpr uint32_t kDiskSectorsPerTrack = 63;
inline constexpr uint32_t kDiskSectorBytes = 512;

// A lab's disk: a raw image whose ext4 file system outlives the lab, also one that was killed.
// Nobody else can use it while the object or a process that was started meanwhile lives.
class Disk {
 public:
  // Opens `file`, or makes it where there is none: sparse, 64 MiB, formatted by mkfs.ext4. BadInput
  // for a file that is no disk of a lab, which is left as it is; Environment while another lab uses
  // it.
  static Result<Disk> Open(const std::filesystem::path& file);

  [[nodiscard]] const DiskFacts& facts() const { return facts_; }
  // Puts its name into the directory that an engine starts in.
  [[nodiscard]] Status Attach(const std::filesystem::path& run_directory) const;

 private:
  Disk(std::filesystem::path file, Fd lock, const DiskFacts& facts)
      : file_(std::move(file)), lock_(std::move(lock)), facts_(facts) {}
  std::filesystem::path file_;
  Fd lock_;  // flock(2)
  DiskFacts facts_;
};

// BadInput, as of Disk::Open(), when `file` is there and no disk of a lab, or cannot be made.
Status CheckDisk(const std::filesystem::path& file);

}  // namespace plectl::lab
