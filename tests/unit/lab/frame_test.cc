// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace plectl::lab {
namespace {

constexpr size_t kHeaderSize = 16;

Frame Text(std::string payload) { return {FrameType::kStdout, std::move(payload)}; }

// All frames in `bytes`, and the error that ended them, if any.
struct Decoded {
  std::vector<Frame> frames;
  std::string error;
};

Decoded DecodeAll(FrameDecoder& decoder) {
  Decoded decoded;
  while (true) {
    Result<std::optional<Frame>> frame = decoder.Next();
    if (!frame) {
      decoded.error = frame.error().message;
      return decoded;
    }
    if (!*frame) return decoded;
    decoded.frames.push_back(**frame);
  }
}

Decoded Decode(std::string_view bytes) {
  FrameDecoder decoder;
  decoder.Feed(bytes);
  return DecodeAll(decoder);
}

TEST(Frame, IsLaidOutAsDocumented) {
  const std::string bytes = EncodeFrame({FrameType::kRecord, "ab"});
  ASSERT_EQ(bytes.size(), kHeaderSize + 2);
  EXPECT_EQ(bytes.substr(0, 12), std::string("PLEF\x04\0\0\0\x02\0\0\0", 12));
  EXPECT_EQ(bytes.substr(kHeaderSize), "ab");
}

TEST(Frame, EveryTypeComesBack) {
  for (int type = 1; type <= 7; ++type) {
    const Frame frame{static_cast<FrameType>(type), std::string("a\0b\n\xff", 5)};
    EXPECT_THAT(Decode(EncodeFrame(frame)).frames, testing::ElementsAre(frame));
  }
}

TEST(Frame, EmptyAndLargestPayloadComeBack) {
  const Frame empty = Text("");
  const Frame largest = Text(std::string(kFramePayloadMax, 'x'));
  EXPECT_THAT(Decode(EncodeFrame(empty) + EncodeFrame(largest)).frames,
              testing::ElementsAre(empty, largest));
}

TEST(Frame, MayArriveByteByByte) {
  const std::string bytes = EncodeFrame(Text("one")) + EncodeFrame(Text("two"));
  FrameDecoder decoder;
  std::vector<std::string> payloads;
  for (size_t i = 0; i < bytes.size(); ++i) {
    decoder.Feed(std::string_view(bytes).substr(i, 1));
    for (const Frame& frame : DecodeAll(decoder).frames) payloads.push_back(frame.payload);
    if (i + 1 == kHeaderSize + 3) {
      EXPECT_THAT(payloads, testing::ElementsAre("one"));
    }
  }
  EXPECT_THAT(payloads, testing::ElementsAre("one", "two"));
}

TEST(Frame, ATornFrameIsNotDelivered) {
  std::string bytes = EncodeFrame(Text("torn"));
  bytes.pop_back();
  const Decoded decoded = Decode(bytes);
  EXPECT_THAT(decoded.frames, testing::IsEmpty());
  EXPECT_EQ(decoded.error, "");
}

TEST(Frame, ForeignBytesAreAnError) {
  EXPECT_THAT(Decode("[    0.000000] Linux version").error, testing::HasSubstr("no frame"));
}

TEST(Frame, DamageAfterAGoodFrameDeliversTheGoodOne) {
  const Decoded decoded = Decode(EncodeFrame(Text("good")) + std::string(kHeaderSize, '?'));
  EXPECT_THAT(decoded.frames, testing::ElementsAre(Text("good")));
  EXPECT_THAT(decoded.error, testing::HasSubstr("no frame"));
}

TEST(Frame, UnknownTypesAreErrors) {
  for (const int type : {0, 8, 255}) {
    std::string bytes = EncodeFrame(Text("x"));
    bytes[4] = static_cast<char>(type);
    EXPECT_THAT(Decode(bytes).error, testing::HasSubstr("unknown frame type"));
  }
}

TEST(Frame, AnEnormousLengthIsRefusedFromTheHeaderAlone) {
  std::string header = EncodeFrame(Text("")).substr(0, kHeaderSize);
  header.replace(8, 4, "\xff\xff\xff\xff");
  EXPECT_THAT(Decode(header).error, testing::HasSubstr("4294967295 bytes"));
  header.replace(8, 4, std::string("\x01\x00\x10\x00", 4));  // one more than the limit
  EXPECT_THAT(Decode(header).error, testing::HasSubstr("1048577 bytes"));
}

TEST(Frame, AnErrorStays) {
  FrameDecoder decoder;
  decoder.Feed(std::string(kHeaderSize, 'x'));
  EXPECT_FALSE(decoder.Next());
  decoder.Feed(EncodeFrame(Text("late")));
  EXPECT_FALSE(decoder.Next());
}

TEST(Frame, NoFlippedBitGoesUnnoticed) {
  const std::string good = EncodeFrame(Text("payload"));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(Decode(bad).frames, testing::IsEmpty()) << "bit " << bit;
  }
}

TEST(Frame, RandomBytesNeverMakeAFrame) {
  std::mt19937 random(1);  // repeatable on purpose
  for (int i = 0; i < 1000; ++i) {
    std::string bytes(random() % 100, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (i % 2 == 0) bytes.insert(0, "PLEF");
    EXPECT_THAT(Decode(bytes).frames, testing::IsEmpty());
  }
}

TEST(RecordFrames, OfAShortRecordAreOne) {
  const auto frames = FramesOfRecord("{}");
  ASSERT_TRUE(frames);
  EXPECT_EQ(*frames, (std::vector<Frame>{{FrameType::kRecord, "{}"}}));
  EXPECT_EQ(FramesOfRecord(std::string(kFramePayloadMax, 'x'))->size(), 1U);
}

TEST(RecordFrames, OfALongRecordGiveItBack) {
  std::string line(2 * kFramePayloadMax + 5, 'x');
  line[kFramePayloadMax] = 'y';
  const auto frames = FramesOfRecord(line);
  ASSERT_TRUE(frames);
  ASSERT_EQ(frames->size(), 3U);
  RecordAssembler assembler;
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*frames)[i].type, FrameType::kRecordPart);
    EXPECT_EQ(Decode(EncodeFrame((*frames)[i])).error, "");
    ASSERT_TRUE(assembler.AddPart((*frames)[i].payload));
    EXPECT_TRUE(assembler.pending());
  }
  EXPECT_EQ((*frames)[2].type, FrameType::kRecord);
  EXPECT_EQ(*assembler.Finish((*frames)[2].payload), line);
  EXPECT_FALSE(assembler.pending());
  EXPECT_EQ(*assembler.Finish("next"), "next");
}

TEST(RecordFrames, AreBounded) {
  EXPECT_FALSE(FramesOfRecord(std::string(kRecordMax + 1, 'x')));
  RecordAssembler assembler;
  const std::string part(kFramePayloadMax, 'x');
  for (size_t i = 0; i < kRecordMax / kFramePayloadMax; ++i) ASSERT_TRUE(assembler.AddPart(part));
  EXPECT_FALSE(assembler.AddPart("x"));
  EXPECT_FALSE(assembler.Finish("x"));
}

}  // namespace
}  // namespace plectl::lab
