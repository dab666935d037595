// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/lab/parallel_port.h"

namespace plectl::lab {

// The part of the lab's physical memory through which a resumed lab gets its job: its kernel keeps
// off (memmap=), the agent waits for it, and the outside writes it into the file that holds the
// saved memory. It begins with a word that tells its state; the job image follows.
inline constexpr uint64_t kJobMemoryAddress = uint64_t{96} << 20;
inline constexpr uint64_t kJobMemorySize = uint64_t{16} << 20;
inline constexpr uint32_t kJobMemoryWaiting = 0x30424f4a;  // "JOB0" in memory
inline constexpr uint32_t kJobMemoryFilled = 0x31424f4a;   // "JOB1"
inline constexpr uint64_t kJobImageOffset = 8;

// What the kernel's command line says to reserve it.
std::string JobMemoryKernelArgument();

// Inside the lab: says kReady to `sink`, waits busily (a machine that idles would run through its
// timers at no cost in host time) until the memory is filled, and returns the job's files.
Result<std::map<std::string, std::string>> AwaitJobInMemory(ByteSink& sink);

}  // namespace plectl::lab
