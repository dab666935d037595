// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

// What the agent in the lab sends to the outside.
enum class FrameType : uint8_t {
  kHello = 1,       // once, when the lab is up: LabHello as JSON
  kStdout = 2,      // bytes of the job's standard output
  kStderr = 3,      // and standard error
  kRecord = 4,      // one line of the followed file, without its newline
  kExit = 5,        // once, last: the job's exit code in decimal
  kReady = 6,       // instead of all that: waits for its job in memory, may be saved now
  kRecordPart = 7,  // the beginning, or a middle, of a line that is too long for one frame
};

struct Frame {
  FrameType type = FrameType::kHello;
  std::string payload;
  friend bool operator==(const Frame&, const Frame&) = default;
};

inline constexpr size_t kFramePayloadMax = size_t{1} << 20;
// Of a record in all its frames: some thirty times what 64 vCPUs with every detail give.
inline constexpr size_t kRecordMax = size_t{64} << 20;

// The bytes of a frame: "PLEF", type, three zero bytes, length of the payload, CRC-32 of all
// that and the payload (both little-endian), the payload: at most kFramePayloadMax bytes.
std::string EncodeFrame(const Frame& frame);

// A record as frames: as many parts as it needs, then the rest. Inconclusive when it is longer than
// kRecordMax.
Result<std::vector<Frame>> FramesOfRecord(std::string_view line);

// Puts records together again. The stream is not trusted: memory is bounded by kRecordMax.
class RecordAssembler {
 public:
  // Inconclusive when the record becomes too long.
  Status AddPart(std::string_view bytes);
  // The whole record, of which this is the rest.
  Result<std::string> Finish(std::string_view bytes);
  // Whether a record has begun and not ended.
  [[nodiscard]] bool pending() const { return !parts_.empty(); }

 private:
  std::string parts_;
};

// Turns a byte stream into frames, however it is cut. The stream is not trusted: memory is bounded
// by one frame and what was fed, and the first damage ends the stream.
class FrameDecoder {
 public:
  void Feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame, nothing when more bytes are needed. An Inconclusive error for bytes that
  // are no frame, a length above the limit, an unknown type, a wrong CRC; it stays.
  Result<std::optional<Frame>> Next();

 private:
  std::string buffer_;
};

}  // namespace plectl::lab
