// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/frame.h"

#include <fmt/format.h>
#include <zlib.h>

#include <utility>

namespace plectl::lab {
namespace {

constexpr std::string_view kMagic = "PLEF";
constexpr size_t kTypeOffset = 4;
constexpr size_t kLengthOffset = 8;
constexpr size_t kCrcOffset = 12;
constexpr size_t kHeaderSize = 16;

// Of the type, the length and the payload.
uint32_t Crc(std::string_view header, std::string_view payload) {
  const auto update = [](uLong crc, std::string_view bytes) {
    return ::crc32(crc, reinterpret_cast<const Bytef*>(bytes.data()),
                   static_cast<uInt>(bytes.size()));
  };
  return static_cast<uint32_t>(update(update(0, header.substr(0, kCrcOffset)), payload));
}

void AppendLittleEndian(std::string& bytes, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
}

uint32_t ReadLittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

bool IsFrameType(uint8_t type) {
  return type >= static_cast<uint8_t>(FrameType::kHello) &&
         type <= static_cast<uint8_t>(FrameType::kExit);
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
