// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "host_tools/base/result.h"

namespace plectl::lab {

// Where the agent's frames go.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status Write(std::string_view bytes) = 0;
};

// The first parallel port of the PC (I/O port 0x378), driven by this process itself: no interrupt,
// no driver, and each byte has left the machine when Write() returns. About 40 instructions a byte,
// where a serial port takes 17,000.
class ParallelPort final : public ByteSink {
 public:
  // Needs CAP_SYS_RAWIO. Only ever called in the lab.
  static Result<ParallelPort> Open();
  Status Write(std::string_view bytes) override;

 private:
  ParallelPort() = default;
};

}  // namespace plectl::lab
