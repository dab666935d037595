// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/bochs_config.h"

#include <fmt/format.h>

#include "host_tools/base/text.h"
#include "host_tools/lab/required_files.h"

namespace plectl::lab {
namespace {

std::string OwnDisk(const LabOptions& options) {
  if (!options.disk_facts) return {};
  return fmt::format("ata0-slave: type=disk, mode=flat, path={}, cylinders={}, heads={}, spt={}\n",
                     kDiskFile, options.disk_facts->cylinders, kDiskHeads, kDiskSectorsPerTrack);
}

// The boot image is a CD and a disk. As a disk the firmware reads it faster (45 million
// instructions less), but a disk would be copied whole into a saved machine and back, and the lab's
// own disk is the only one that its kernel may see.
std::string Drives(const LabOptions& options) {
  if (options.start == LabStart::kCold && !options.disk_facts) {
    return fmt::format(
        "ata0-master: type=disk, mode=flat, path={}, cylinders=0\n"
        "boot: disk\n",
        kIsoFile);
  }
  return fmt::format(
      "ata0-master: type=cdrom, path={}, status=inserted\n"
      "{}"
      "boot: cdrom\n",
      kIsoFile, OwnDisk(options));
}

}  // namespace

std::string BochsConfig(const LabOptions& options) {
  // sync=none: emulated time is counted in instructions and never follows the host's clock.
  return fmt::format(
      "plugin_ctrl: usb_uhci=false, gameport=false, speaker=false\n"
      "display_library: rfb, options=\"timeout=0\"\n"
      "romimage: file={8}\n"
      "vgaromimage: file={9}\n"
      "memory: host={0}, guest={0}\n"
      "cpu: model={1}, count={10}, ips={2}, reset_on_triple_fault=0\n"
      "clock: sync=none, time0={3}\n"
      "{4}"
      "com1: enabled=1, mode=file, dev={5}\n"
      "parport1: enabled=1, file={6}\n"
      "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy\n"
      "log: {7}\n"
      "info: action=ignore\n"
      "error: action=ignore\n"
      "panic: action=fatal\n",
      options.memory_mib, BochsCpuModel(options.cpu), options.instructions_per_s,
      StartTime(options), Drives(options), kConsoleFile, kFramesFile, kEngineLogFile, kBiosImage,
      kVgaBiosImage, CpusOf(options));
}

std::optional<std::string> ResumableConfig(std::string_view saved) {
  constexpr std::string_view kPlugins = "plugin_ctrl:";
  std::string config;
  bool found = false;
  for (const std::string_view line : Split(TrimRight(saved), '\n')) {
    const bool plugins = line.starts_with(kPlugins);
    found |= plugins;
    config += plugins ? "plugin_ctrl: biosdev=true, iodebug=true, parallel=true, extfpuirq=true, "
                        "serial=true, unmapped=true"
                      : line;
    config += '\n';
  }
  return found ? std::optional(config) : std::nullopt;
}

std::string IsolinuxConfig(std::string_view kernel_command_line) {
  return fmt::format(
      "DEFAULT lab\n"
      "PROMPT 0\n"
      "LABEL lab\n"
      "KERNEL /vmlinuz\n"
      "INITRD /job.img,/system.img\n"
      "APPEND {}\n",
      kernel_command_line);
}

std::optional<std::string> ParseEngineVersion(std::string_view output) {
  constexpr std::string_view kBanner = "Bochs x86 Emulator ";
  const size_t start = output.find(kBanner);
  if (start == std::string_view::npos) return std::nullopt;
  output.remove_prefix(start + kBanner.size());
  const std::string_view version = output.substr(0, output.find_first_of(" \n"));
  if (version.find_first_not_of("0123456789.abcdefghijklmnopqrstuvwxyz") != std::string_view::npos)
    return std::nullopt;
  if (version.empty()) return std::nullopt;
  return std::string(version);
}

std::optional<uint64_t> ParseEmulatedInstructions(std::string_view output) {
  // At its end, and when its debugger was asked where it is.
  for (const std::string_view prefix : {"(0).[", "Next at t="}) {
    const size_t start = output.rfind(prefix);
    if (start == std::string_view::npos) continue;
    const std::string_view number = output.substr(start + prefix.size());
    return ParseUint(number.substr(0, number.find_first_not_of("0123456789")));
  }
  return std::nullopt;
}

}  // namespace plectl::lab
