// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/parallel_port.h"

#include <sys/io.h>

#include <cerrno>
#include <cstdint>

namespace plectl::lab {
namespace {

constexpr uint16_t kDataPort = 0x378;
constexpr uint16_t kControlPort = 0x37a;
constexpr unsigned long kPortCount = 3;
// IEEE 1284 control lines: the printer selected and not in reset; a byte is taken at the strobe.
constexpr uint8_t kIdle = 0x0c;
constexpr uint8_t kStrobe = 0x0d;

}  // namespace

Result<ParallelPort> ParallelPort::Open() {
  if (::ioperm(kDataPort, kPortCount, 1) != 0) {
    return SystemFailure("I/O permission for the parallel port", errno,
                         "this command is for use inside the lab, as root");
  }
  ::outb(kIdle, kControlPort);
  return ParallelPort();
}

Status ParallelPort::Write(std::string_view bytes) {
  for (const char byte : bytes) {
    ::outb(static_cast<uint8_t>(byte), kDataPort);
    ::outb(kStrobe, kControlPort);
    ::outb(kIdle, kControlPort);
  }
  return OkStatus();
}

}  // namespace plectl::lab
