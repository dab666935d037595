// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <chrono>
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
Result<char*> MapJobMemory() {
  PLECTL_ASSIGN_OR_RETURN(const Fd memory, OpenFile("/dev/mem", O_RDWR));
  void* address = ::mmap(nullptr, kJobMemorySize, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(),
                         static_cast<off_t>(kJobMemoryAddress));
  if (address == MAP_FAILED) return SystemFailure("map the lab's job memory", errno);
  return static_cast<char*>(address);
}

}  // namespace

std::string JobMemoryKernelArgument() {
  return fmt::format("memmap={}M${:#x}", kJobMemorySize >> 20, kJobMemoryAddress);
}

Result<std::map<std::string, std::string>> AwaitJobInMemory(ByteSink& sink) {
  PLECTL_ASSIGN_OR_RETURN(char* const memory, MapJobMemory());
  const std::atomic_ref<uint32_t> state(*reinterpret_cast<uint32_t*>(memory));
  state.store(kJobMemoryWaiting);
  std::this_thread::sleep_for(kSettling);
  PLECTL_RETURN_IF_ERROR(sink.Write(EncodeFrame({FrameType::kReady, ""})));
  while (state.load(std::memory_order_acquire) != kJobMemoryFilled) {
  }
  return DecodeJobImage({memory + kJobImageOffset, kJobMemorySize - kJobImageOffset});
}

}  // namespace plectl::lab
