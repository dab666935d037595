// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "host_tools/base/child.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/little_endian.h"
#include "host_tools/lab/required_files.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kCylinderBytes = uint64_t{kDiskHeads} * kDiskSectorsPerTrack * kDiskSectorBytes;
constexpr uint64_t kNewDiskBytes = 130 * kCylinderBytes;  // 64 MiB but for 16 KiB
constexpr uint64_t kCylindersMax = 16383;                 // more an ATA disk cannot say
constexpr std::chrono::seconds kFormatDeadline(120);
constexpr uint64_t kClockMax = 2'100'000'000;  // a positive 32-bit number, with room to go on
constexpr std::string_view kLabel = "plectl-lab";
constexpr std::string_view kHint =
    "give --lab-disk a file that is not there yet, or one that plectl made";

// ext4's superblock (Documentation/filesystems/ext4/super.rst), and what is read of it.
constexpr off_t kSuperblockOffset = 1024;
constexpr size_t kWrittenAtOffset = 48;
constexpr size_t kMagicOffset = 56;
constexpr std::string_view kMagic = "\x53\xef";
constexpr size_t kLabelOffset = 120;
constexpr size_t kLabelSize = 16;
constexpr size_t kReadSize = kLabelOffset + kLabelSize;

Failure NoDisk(const fs::path& file, std::string_view why) {
  return BadInput(fmt::format("{} is no disk of a lab: {}", file.string(), why),
                  std::string(kHint));
}

bool IsOurs(std::string_view superblock) {
  std::string label(superblock.substr(kLabelOffset, kLabelSize));
  label.resize(std::min(label.find('\0'), label.size()));
  return superblock.substr(kMagicOffset, kMagic.size()) == kMagic && label == kLabel;
}

Result<DiskFacts> ReadFacts(const Fd& image, const fs::path& file) {
  struct stat status {};
  if (::fstat(image.get(), &status) != 0) {
    return SystemFailure(fmt::format("stat {}", file.string()), errno);
  }
  if (!S_ISREG(status.st_mode)) return NoDisk(file, "it is no regular file");
  std::string superblock(kReadSize, '\0');
  const ssize_t count =
      ::pread(image.get(), superblock.data(), superblock.size(), kSuperblockOffset);
  if (count < 0) return SystemFailure(fmt::format("read {}", file.string()), errno);
  if (static_cast<size_t>(count) != superblock.size() || !IsOurs(superblock)) {
    return NoDisk(file, "it holds no file system that plectl made");
  }
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size % kCylinderBytes != 0 || size / kCylinderBytes > kCylindersMax) {
    return NoDisk(file, fmt::format("its size of {} bytes is not one that plectl made", size));
  }
  const uint64_t written_at_s = ReadLittleEndian(superblock.substr(kWrittenAtOffset));
  return DiskFacts{static_cast<uint32_t>(size / kCylinderBytes), std::min(written_at_s, kClockMax)};
}

Status CheckImage(const Fd& image, const fs::path& file) {
  PLECTL_ASSIGN_OR_RETURN([[maybe_unused]] const DiskFacts facts, ReadFacts(image, file));
  return OkStatus();
}

// Nothing when there is none.
Result<std::optional<Fd>> OpenImage(const fs::path& file) {
  // Not blocking: whatever else it is, a FIFO for example, it is only looked at.
  Fd image(::open(file.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (image.valid()) return std::optional(std::move(image));
  if (errno == ENOENT) return std::optional<Fd>();
  if (errno == EISDIR) return NoDisk(file, "it is a directory");
  return BadInput(
      fmt::format("cannot open the lab's disk {}: {}", file.string(), std::strerror(errno)),
      std::string(kHint));
}

// The same bytes each time: no random UUIDs, no clock, and nothing left for the kernel to finish.
Status Format(const fs::path& file) {
  constexpr std::string_view kUuid = "706c6563-746c-4c61-8062-6469736b0000";
  PLECTL_ASSIGN_OR_RETURN(const fs::path program, FindProgram(HostRoot(), "mkfs.ext4"));
  ChildOptions options;
  options.argv = {program.string(),
                  "-q",
                  "-F",
                  "-L",
                  std::string(kLabel),
                  "-U",
                  std::string(kUuid),
                  "-E",
                  fmt::format("lazy_itable_init=0,lazy_journal_init=0,hash_seed={}", kUuid),
                  file.string()};
  options.environment = {{"E2FSPROGS_FAKE_TIME", "1700000000"}};
  PLECTL_ASSIGN_OR_RETURN([[maybe_unused]] const std::string output,
                          RunChildOrFail(options, kFormatDeadline));
  return OkStatus();
}

// A new file beside `file`, removed with the object unless Publish() gave it its name.
class NewImage {
 public:
  static Result<NewImage> Create(const fs::path& file) {
    std::string path = file.string() + ".XXXXXX";
    Fd image(::mkostemp(path.data(), O_CLOEXEC));
    if (!image.valid()) return SystemFailure(fmt::format("make {}", file.string()), errno);
    NewImage made(std::move(path));
    if (::ftruncate(image.get(), static_cast<off_t>(kNewDiskBytes)) == 0) return made;
    return SystemFailure(fmt::format("make {}", file.string()), errno);
  }
  NewImage(NewImage&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  NewImage& operator=(NewImage&&) = delete;
  NewImage(const NewImage&) = delete;
  NewImage& operator=(const NewImage&) = delete;
  ~NewImage() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  // Takes what came to `file` meanwhile for good.
  Status Publish(const fs::path& file) {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0) {
      path_.clear();
      return OkStatus();
    }
    if (errno == EEXIST) return OkStatus();
    return SystemFailure(fmt::format("move the new disk to {}", file.string()), errno);
  }

 private:
  explicit NewImage(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Status MakeDisk(const fs::path& file) {
  PLECTL_ASSIGN_OR_RETURN(NewImage image, NewImage::Create(file));
  if (Status formatted = Format(image.path()); !formatted) {
    Error error = WithContext("format the lab's disk", formatted.error());
    if (error.hint.empty()) error.hint = "sudo apt-get install e2fsprogs";
    return Fail(std::move(error));
  }
  return image.Publish(file);
}

// The emulator inherits the lock: a plectl that was killed may be gone a moment before it.
Status Lock(const Fd& image, const fs::path& file) {
  if (::flock(image.get(), LOCK_EX | LOCK_NB) == 0) {
    if (::fcntl(image.get(), F_SETFD, 0) == 0) return OkStatus();
    return SystemFailure("fcntl of the lab's disk", errno);
  }
  if (errno != EWOULDBLOCK) return SystemFailure(fmt::format("lock {}", file.string()), errno);
  return Environment(fmt::format("the disk {} is in use by another lab", file.string()),
                     "wait for that lab to end, or give --lab-disk another file");
}

}  // namespace

Result<Disk> Disk::Open(const fs::path& given) {
  const fs::path file = fs::absolute(given);
  PLECTL_ASSIGN_OR_RETURN(std::optional<Fd> image, OpenImage(file));
  if (!image) {
    PLECTL_RETURN_IF_ERROR(MakeDisk(file));
    PLECTL_ASSIGN_OR_RETURN(image, OpenImage(file));
    if (!image) return BadInput(fmt::format("{} leads nowhere", file.string()), std::string(kHint));
  }
  PLECTL_RETURN_IF_ERROR(CheckImage(*image, file));
  PLECTL_RETURN_IF_ERROR(Lock(*image, file));
  // Only now: another lab may have written it until a moment ago.
  PLECTL_ASSIGN_OR_RETURN(const DiskFacts facts, ReadFacts(*image, file));
  return Disk(file, *std::move(image), facts);
}

// By a symbolic link: so the lock file that the emulator makes beside its image lies in the run's
// directory, and goes with it whoever is killed; and no path needs quoting.
Status Disk::Attach(const fs::path& run_directory) const {
  std::error_code error;
  fs::create_symlink(file_, run_directory / kDiskFile, error);
  if (!error) return OkStatus();
  return SystemFailure(fmt::format("link {}", file_.string()), error.value());
}

Status CheckDisk(const fs::path& given) {
  const fs::path file = fs::absolute(given);
  PLECTL_ASSIGN_OR_RETURN(const std::optional<Fd> image, OpenImage(file));
  if (image) return CheckImage(*image, file);
  std::error_code error;
  if (fs::is_directory(file.parent_path(), error)) return OkStatus();
  return BadInput(
      fmt::format("there is no directory {} for the lab's disk", file.parent_path().string()),
      "make it first");
}

}  // namespace plectl::lab
