// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/iso.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>
#include <system_error>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/required_files.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kXorrisoDeadline(120);
constexpr uint64_t kXorrisoMemoryLimitBytes = uint64_t{2} << 30;  // it takes some 50 MiB

Status WriteFile(const fs::path& path, std::string_view content) {
  PLECTL_ASSIGN_OR_RETURN(const Fd file, OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC));
  return WriteAll(file.get(), content);
}

Status StageFiles(const IsoContent& content, const fs::path& stage) {
  PLECTL_RETURN_IF_ERROR(CopyInto(std::string(kIsolinux), stage / "isolinux/isolinux.bin"));
  PLECTL_RETURN_IF_ERROR(CopyInto(std::string(kLdlinux), stage / "isolinux/ldlinux.c32"));
  PLECTL_RETURN_IF_ERROR(
      WriteFile(stage / "isolinux/isolinux.cfg", IsolinuxConfig(content.kernel_command_line)));
  PLECTL_RETURN_IF_ERROR(CopyInto(content.kernel, stage / "vmlinuz"));
  PLECTL_RETURN_IF_ERROR(WriteFile(stage / "system.img", content.system_image));
  return WriteFile(stage / "job.img", content.job_image);
}

// A disk's size is a whole number of cylinders (16 heads, 63 sectors each), or Bochs leaves out the
// rest.
Status PadToCylinder(const fs::path& image) {
  constexpr uintmax_t kCylinder = uintmax_t{16} * 63 * 512;
  std::error_code error;
  const uintmax_t size = fs::file_size(image, error);
  if (!error) fs::resize_file(image, (size + kCylinder - 1) / kCylinder * kCylinder, error);
  if (!error) return OkStatus();
  return SystemFailure(fmt::format("pad {}", image.string()), error.value());
}

}  // namespace

Status WriteIso(const IsoContent& content, const fs::path& directory) {
  constexpr const char* kStage = "iso";
  PLECTL_RETURN_IF_ERROR(StageFiles(content, directory / kStage));
  ChildOptions options;
  options.memory_limit_bytes = kXorrisoMemoryLimitBytes;
  // --norock: Rock Ridge would record times and owners; isolinux finds the plain names.
  // -graft-points: without it xorriso trips over a '=' in the working directory.
  // -stdio_sync off: waiting for the disk took longer than everything else.
  options.argv = {"xorriso",
                  "-stdio_sync",
                  "off",
                  "-as",
                  "mkisofs",
                  "-quiet",
                  "--norock",
                  "--set_all_file_dates",
                  "1980010100000000",
                  "-o",
                  std::string(kIsoFile),
                  "-b",
                  "isolinux/isolinux.bin",
                  "-c",
                  "isolinux/boot.cat",
                  "-no-emul-boot",
                  "-boot-load-size",
                  "4",
                  "-boot-info-table",
                  "-isohybrid-mbr",
                  std::string(kDiskBootSector),
                  "-graft-points",
                  std::string("/=") + kStage};
  options.working_directory = directory;
  options.environment = {{"SOURCE_DATE_EPOCH", "1"}, {"TZ", "UTC"}};
  PLECTL_ASSIGN_OR_RETURN([[maybe_unused]] const std::string output,
                          RunChildOrFail(options, kXorrisoDeadline));
  return PadToCylinder(directory / kIsoFile);
}

}  // namespace plectl::lab
