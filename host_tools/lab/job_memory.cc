// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <span>
#include <string_view>
#include <thread>

#include "host_tools/base/file.h"
#include "host_tools/lab/frame.h"
#include "host_tools/lab/job_image.h"

namespace plectl::lab {
namespace {

// The kernel's start-up work that goes on beside /init is over by then.
constexpr std::chrono::milliseconds kSettling(300);

// The job memory, mapped for as long as the process lives.
Result<std::span<char>> MapJobMemory() {
  PLECTL_ASSIGN_OR_RETURN(const Fd memory, OpenFile("/dev/mem", O_RDWR));
  void* address = ::mmap(nullptr, kJobMemorySize, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(),
                         static_cast<off_t>(kJobMemoryAddress));
  if (address == MAP_FAILED) return SystemFailure("map the lab's job memory", errno);
  return std::span(static_cast<char*>(address), kJobMemorySize);
}

// The emulator saves only what was touched once.
void Touch(std::span<char> memory) {
  constexpr size_t kPageSize = 4096;
  for (size_t at = 0; at < memory.size(); at += kPageSize) {
    *static_cast<volatile char*>(&memory[at]) = 0;
  }
}

}  // namespace

std::string JobMemoryKernelArgument() {
  return fmt::format("memmap={}M${:#x}", kJobMemorySize >> 20, kJobMemoryAddress);
}

Result<std::map<std::string, std::string>> AwaitJobInMemory(ByteSink& sink) {
  PLECTL_ASSIGN_OR_RETURN(const std::span<char> memory, MapJobMemory());
  Touch(memory);
  const std::atomic_ref<uint32_t> state(*reinterpret_cast<uint32_t*>(memory.data()));
  state.store(kJobMemoryWaiting);
  std::this_thread::sleep_for(kSettling);
  PLECTL_RETURN_IF_ERROR(sink.Write(EncodeFrame({FrameType::kReady, ""})));
  while (state.load(std::memory_order_acquire) != kJobMemoryFilled) {
  }
  return DecodeJobImage({memory.data() + kJobImageOffset, memory.size() - kJobImageOffset});
}

}  // namespace plectl::lab
