// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/system_image.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/base/sha256.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/kernel_modules.h"
#include "host_tools/lab/program_identity.h"
#include "host_tools/lab/required_files.h"
#include "host_tools/lab/shared_libraries.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStripDeadline(60);

Status AddHostFile(Archive& archive, std::string_view path, const fs::path& file) {
  PLECTL_ASSIGN_OR_RETURN(std::string content, ReadFile(file));
  archive.AddFile(path, std::move(content));
  return OkStatus();
}

Status AddTree(Archive& archive, const fs::path& tree, std::string_view below) {
  std::error_code error;
  const fs::path start = tree / below;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(start, error)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = "/" + entry.path().lexically_relative(tree).string();
    PLECTL_RETURN_IF_ERROR(AddHostFile(archive, path, entry.path()));
  }
  if (error) return SystemFailure(fmt::format("list {}", start.string()), error.value());
  return OkStatus();
}

// Libraries go where the loader looks without help, wherever they stand on this machine.
Status AddLibraries(Archive& archive, const fs::path& program) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<SharedLibrary> libraries, SharedLibrariesOf(program));
  for (const SharedLibrary& library : libraries) {
    const bool is_loader = library.name.starts_with('/');
    const std::string path =
        is_loader ? library.name : fmt::format("{}/{}", kLibraryDirectory, library.name);
    PLECTL_RETURN_IF_ERROR(AddHostFile(archive, path, library.file));
  }
  return OkStatus();
}

Status Strip(const fs::path& program, const fs::path& to, const fs::path& lab_directory) {
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory scratch,
                          ScratchDirectory::Create(lab_directory / "scratch"));
  PLECTL_ASSIGN_OR_RETURN(const fs::path strip, FindProgram(HostRoot(), "strip"));
  const fs::path stripped = scratch.path() / "stripped";
  ChildOptions options;
  options.argv = {strip.string(), "-o", stripped.string(), program.string()};
  PLECTL_ASSIGN_OR_RETURN([[maybe_unused]] const std::string output,
                          RunChildOrFail(options, kStripDeadline));
  return MoveInto(stripped, to);
}

// Keeps the stripped programs of the last few builds.
void RemoveOldest(const fs::path& directory) {
  constexpr size_t kKept = 8;
  std::error_code error;
  std::vector<fs::directory_entry> entries(fs::directory_iterator(directory, error), {});
  if (entries.size() <= kKept) return;
  const auto age = [&](const fs::directory_entry& a, const fs::directory_entry& b) {
    return a.last_write_time(error) > b.last_write_time(error);
  };
  std::sort(entries.begin(), entries.end(), age);
  for (size_t i = kKept; i < entries.size(); ++i) fs::remove(entries[i].path(), error);
}

// The stripped form of this program, from the cache when the same build was stripped before.
Result<fs::path> StrippedProgram(const fs::path& program, const fs::path& lab_directory) {
  fs::path stripped = lab_directory / "stripped" / Sha256Hex(ProgramIdentity());
  std::error_code error;
  if (fs::exists(stripped, error)) return stripped;
  PLECTL_RETURN_IF_ERROR(Strip(program, stripped, lab_directory));
  RemoveOldest(stripped.parent_path());
  return stripped;
}

Status AddBusybox(Archive& archive) {
  PLECTL_ASSIGN_OR_RETURN(const std::vector<SharedLibrary> libraries,
                          SharedLibrariesOf(std::string(kBusybox)));
  if (!libraries.empty()) {
    return Environment(fmt::format("{} is not a static program", kBusybox),
                       "sudo apt-get install busybox-static");
  }
  archive.AddSymlink("/bin/sh", "busybox");
  return AddHostFile(archive, kBusybox, kBusybox);
}

// What the job brought to these places goes to the disk. Errors are not hidden: an ext4 that is
// damaged must not pass for an empty one.
std::string MountScript() {
  std::string script;
  for (const std::string_view module : kDiskModules) script += fmt::format("modprobe {}\n", module);
  return script + R"(mkdir -p /disk /etc/modprobe.d /mnt
mount -t ext4 /dev/sda /mnt || { echo "the lab cannot mount its disk"; sleep 1; poweroff -f; }
mkdir -p /mnt/var/lib /mnt/etc/modprobe.d
cp -a /disk/. /mnt/
cp -a /var/lib/. /mnt/var/lib/
cp -a /etc/modprobe.d/. /mnt/etc/modprobe.d/
mount --move /mnt /disk
mount --bind /disk/var/lib /var/lib
mount --bind /disk/etc/modprobe.d /etc/modprobe.d
)";
}

}  // namespace

std::string InitScript(bool with_disk) {
  std::string script = R"(#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Started by the lab's kernel as process 1. Standard output is the console, which is slow: only
# failures go there.
/bin/busybox --install -s /bin
# Programs of the job are found by their names; none stands in for one of the lab's.
export PATH=/bin:/job HOME=/root LANG=C
# To the emulator "rep movsb" is an instruction per byte, which the C library does not expect.
export GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=0x40000000
GLIBC_TUNABLES=$GLIBC_TUNABLES:glibc.cpu.x86_rep_stosb_threshold=0x40000000
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
ip link set lo up
hostname lab
)";
  if (with_disk) script += MountScript();
  script +=
      R"(if grep -q GenuineIntel /proc/cpuinfo; then modprobe kvm_intel; else modprobe kvm_amd; fi
cd /job
plectl lab-agent </dev/null || { echo "the lab's agent failed with exit code $?"; sleep 1; }
sync
)";
  if (with_disk) script += "umount /etc/modprobe.d /var/lib\nmount -o remount,ro /disk\n";
  return script + "poweroff -f\n";
}

Result<std::string> BuildSystemImage(const fs::path& lab_directory, const LabKernel& kernel,
                                     const std::optional<fs::path>& disk_modules) {
  Archive archive;
  for (const char* directory :
       {"/dev", "/proc", "/sys", "/tmp", "/root", "/run", "/job", "/etc", "/var/lib", "/usr/bin"}) {
    archive.AddDirectory(directory);
  }
  archive.AddSymlink("/sbin", "bin");
  archive.AddFile("/init", InitScript(disk_modules.has_value()));
  PLECTL_RETURN_IF_ERROR(AddBusybox(archive));
  const fs::path tree = disk_modules.value_or(kernel.directory);
  std::error_code error;  // a kernel may have all that it needs built in
  if (fs::exists(tree / "lib", error)) PLECTL_RETURN_IF_ERROR(AddTree(archive, tree, "lib"));
  // By process number: the program that runs now, also when its file was replaced since.
  const fs::path self = fmt::format("/proc/{}/exe", ::getpid());
  PLECTL_ASSIGN_OR_RETURN(const fs::path stripped, StrippedProgram(self, lab_directory));
  PLECTL_RETURN_IF_ERROR(AddHostFile(archive, "/bin/plectl", stripped));
  PLECTL_RETURN_IF_ERROR(AddLibraries(archive, self));
  return archive.ToCpio();
}

}  // namespace plectl::lab
