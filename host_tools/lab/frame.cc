// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/frame.h"

#include <fmt/format.h>

#include <utility>

#include "host_tools/lab/little_endian.h"

namespace plectl::lab {
namespace {

constexpr std::string_view kMagic = "PLEF";
constexpr size_t kTypeOffset = 4;
constexpr size_t kLengthOffset = 8;
constexpr size_t kCrcOffset = 12;
constexpr size_t kHeaderSize = 16;

// Of the type, the length and the payload.
uint32_t Crc(std::string_view header, std::string_view payload) {
  return Crc32(payload, Crc32(header.substr(0, kCrcOffset)));
}

bool IsFrameType(uint8_t type) {
  return type >= static_cast<uint8_t>(FrameType::kHello) &&
         type <= static_cast<uint8_t>(FrameType::kRecordPart);
}

Failure Damaged(std::string_view why) {
  return Inconclusive(fmt::format("the lab's output is damaged: {}", why));
}

Status CheckHeader(std::string_view header) {
  if (header.substr(0, kMagic.size()) != kMagic) return Damaged("no frame where one must begin");
  if (!IsFrameType(static_cast<uint8_t>(header[kTypeOffset]))) {
    return Damaged(fmt::format("unknown frame type {}", static_cast<uint8_t>(header[kTypeOffset])));
  }
  const uint32_t length = ReadLittleEndian(header.substr(kLengthOffset));
  if (length > kFramePayloadMax) {
    return Damaged(fmt::format("a frame of {} bytes, more than {}", length, kFramePayloadMax));
  }
  return OkStatus();
}

}  // namespace

std::string EncodeFrame(const Frame& frame) {
  std::string bytes(kMagic);
  bytes.push_back(static_cast<char>(frame.type));
  bytes.append(3, '\0');
  AppendLittleEndian(bytes, static_cast<uint32_t>(frame.payload.size()));
  AppendLittleEndian(bytes, Crc(bytes, frame.payload));
  return bytes + frame.payload;
}

Result<std::vector<Frame>> FramesOfRecord(std::string_view line) {
  if (line.size() > kRecordMax) {
    return Inconclusive(fmt::format(
        "a record of {} bytes is too long to leave the lab (at most {})", line.size(), kRecordMax));
  }
  std::vector<Frame> frames;
  while (line.size() > kFramePayloadMax) {
    frames.push_back({FrameType::kRecordPart, std::string(line.substr(0, kFramePayloadMax))});
    line.remove_prefix(kFramePayloadMax);
  }
  frames.push_back({FrameType::kRecord, std::string(line)});
  return frames;
}

Status RecordAssembler::AddPart(std::string_view bytes) {
  if (bytes.size() > kRecordMax - parts_.size()) {
    return Damaged(fmt::format("a record of more than {} bytes", kRecordMax));
  }
  parts_ += bytes;
  return OkStatus();
}

Result<std::string> RecordAssembler::Finish(std::string_view bytes) {
  PLECTL_RETURN_IF_ERROR(AddPart(bytes));
  return std::exchange(parts_, {});
}

Result<std::optional<Frame>> FrameDecoder::Next() {
  if (buffer_.size() < kHeaderSize) return std::optional<Frame>();
  const std::string_view header = std::string_view(buffer_).substr(0, kHeaderSize);
  PLECTL_RETURN_IF_ERROR(CheckHeader(header));
  const size_t length = ReadLittleEndian(header.substr(kLengthOffset));
  if (buffer_.size() < kHeaderSize + length) return std::optional<Frame>();
  Frame frame{static_cast<FrameType>(header[kTypeOffset]), buffer_.substr(kHeaderSize, length)};
  if (Crc(header, frame.payload) != ReadLittleEndian(header.substr(kCrcOffset))) {
    return Damaged("wrong checksum of a frame");
  }
  buffer_.erase(0, kHeaderSize + length);
  return std::optional<Frame>(std::move(frame));
}

}  // namespace plectl::lab
