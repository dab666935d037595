// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_image.h"

#include <fmt/format.h>

#include <optional>

#include "host_tools/lab/little_endian.h"

namespace plectl::lab {
namespace {

constexpr std::string_view kMagic = "PLEJ";
constexpr size_t kLengthOffset = 4;
constexpr size_t kCrcOffset = 8;
constexpr size_t kHeaderSize = 12;
constexpr size_t kEntryHeaderSize = 8;

void AppendFile(std::string& body, std::string_view path, std::string_view content) {
  AppendLittleEndian(body, static_cast<uint32_t>(path.size()));
  AppendLittleEndian(body, static_cast<uint32_t>(content.size()));
  body.append(path);
  body.append(content);
}

// Cuts the first `size` bytes off `bytes`; nothing when there are fewer.
std::optional<std::string_view> Take(std::string_view& bytes, size_t size) {
  if (bytes.size() < size) return std::nullopt;
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

Failure Damaged() { return Inconclusive("the job that was put into the lab is damaged"); }

Status TakeFile(std::string_view& body, std::map<std::string, std::string>& files) {
  const auto header = Take(body, kEntryHeaderSize);
  if (!header) return Damaged();
  const auto path = Take(body, ReadLittleEndian(*header));
  if (!path) return Damaged();
  const auto content = Take(body, ReadLittleEndian(header->substr(4)));
  if (!content) return Damaged();
  files.insert_or_assign(std::string(*path), std::string(*content));
  return OkStatus();
}

}  // namespace

Result<std::string> EncodeJobImage(const LabJob& job) {
  PLECTL_ASSIGN_OR_RETURN(const std::string description, JobToJson(job));
  std::string body;
  AppendFile(body, kJobFile, description);
  for (const auto& [path, content] : job.files) {
    if (content.size() > UINT32_MAX) return BadInput(fmt::format("{} is too large", path));
    AppendFile(body, path, content);
  }
  if (body.size() > UINT32_MAX) return BadInput("the lab's job is larger than 4 GiB");
  std::string image(kMagic);
  AppendLittleEndian(image, static_cast<uint32_t>(body.size()));
  AppendLittleEndian(image, Crc32(body));
  return image + body;
}

Result<std::map<std::string, std::string>> DecodeJobImage(std::string_view bytes) {
  if (bytes.size() < kHeaderSize || !bytes.starts_with(kMagic)) return Damaged();
  const size_t size = ReadLittleEndian(bytes.substr(kLengthOffset));
  if (bytes.size() - kHeaderSize < size) return Damaged();
  std::string_view body = bytes.substr(kHeaderSize, size);
  if (Crc32(body) != ReadLittleEndian(bytes.substr(kCrcOffset))) return Damaged();
  std::map<std::string, std::string> files;
  while (!body.empty()) PLECTL_RETURN_IF_ERROR(TakeFile(body, files));
  return files;
}

}  // namespace plectl::lab
