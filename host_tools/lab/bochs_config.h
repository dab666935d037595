// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host_tools/lab/lab_config.h"

namespace plectl::lab {

// The files of a run, relative to its directory, which is the engine's working directory: so no
// path needs the quoting that bochsrc lacks.
inline constexpr std::string_view kIsoFile = "lab.iso";
inline constexpr std::string_view kDiskFile = "disk.img";    // a link to the disk, if there is one
inline constexpr std::string_view kConsoleFile = "console";  // FIFO: the first serial port
inline constexpr std::string_view kFramesFile = "frames";    // FIFO: the parallel port
inline constexpr std::string_view kConfigFile = "bochsrc";
inline constexpr std::string_view kDebuggerFile = "debugger";     // commands for Bochs's debugger
inline constexpr std::string_view kEngineOutputFile = "output";   // what Bochs prints
inline constexpr std::string_view kStateDirectory = "state";      // a saved machine
inline constexpr std::string_view kEngineLogFile = "engine.log";  // Bochs's own log

// The PC: its CPUs, a drive with the boot image, console and parallel port, and the disk if there
// is one.
std::string BochsConfig(const LabOptions& options);

// The configuration that Bochs saved with a machine's state, changed so that resuming it works: as
// saved it loads plug-ins in another order than at boot, and timers, which are saved by their
// index, go to the wrong devices. Nothing when it has no line plugin_ctrl.
std::optional<std::string> ResumableConfig(std::string_view saved);

// isolinux.cfg that boots /vmlinuz at once with /job.img and /system.img as initrd. The job stands
// first: nothing after a compressed archive would be read, and it is never compressed.
std::string IsolinuxConfig(std::string_view kernel_command_line);

// "2.7" from what `bochs-bin --help cpu` prints; nothing when that is not Bochs.
std::optional<std::string> ParseEngineVersion(std::string_view output);

// How many instructions were emulated, from the last line that Bochs's debugger prints
// ("(0).[1703588658] [0x...] ..."); nothing when there is none.
std::optional<uint64_t> ParseEmulatedInstructions(std::string_view output);

}  // namespace plectl::lab
