// SPDX-License-Identifier: Apache-2.0
// No bytes in the lab's memory make the reader of a job crash, and what it takes out of them was in
// them. The input is read as a whole image, and as what a sound header introduces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "host_tools/lab/job_image.h"
#include "host_tools/lab/little_endian.h"

namespace {

using namespace plectl::lab;  // NOLINT(google-build-using-namespace)

void Decode(std::string_view image) {
  const auto files = DecodeJobImage(image);
  if (!files) {
    if (files.error().message.empty()) std::abort();
    return;
  }
  size_t size = 0;
  for (const auto& [path, content] : *files) size += path.size() + content.size();
  if (size > image.size()) std::abort();
  const auto description = files->find(std::string(kJobFile));
  if (description == files->end()) return;
  const auto job = JobFromJson(description->second);
  if (!job) return;
  const auto again = JobFromJson(JobToJson(*job).value());
  if (!again || again->argv != job->argv || again->environment != job->environment) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Decode(bytes);
  std::string image = "PLEJ";
  AppendLittleEndian(image, static_cast<uint32_t>(size));
  AppendLittleEndian(image, Crc32(bytes));
  Decode(image.append(bytes));
  return 0;
}
