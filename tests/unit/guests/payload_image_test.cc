// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/payload_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <string>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/guests/elf_image.h"
#include "host_tools/guests/embedded_payload.h"
#include "tests/payloads/embedded.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/guests/elf_builder.h"

namespace plectl::guests {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kBase = PLECTL_LOAD_ADDRESS;
constexpr uint64_t kResultAt = 0x1000;
constexpr uint64_t kWaitsAt = 0x8000;
constexpr uint64_t kPayloadAt = 0x200;
constexpr uint64_t kSitesAt = 0x100;
constexpr uint64_t kCodeAt = 0x10;
constexpr uint64_t kMemorySize = kWaitsAt + sizeof(plectl_wait_histogram) * PLECTL_MAX_VCPUS;

// A small payload that fulfils the contract until a test breaks it.
struct SmallPayload {
  plectl_note note{PLECTL_ABI_VERSION, 0, kBase + 0x400,      kBase + kResultAt,
                   kBase + kSitesAt,   8, kBase + kPayloadAt, sizeof(plectl_payload),
                   kBase + kWaitsAt};
  uint32_t entry = kBase;
  uint64_t site = kBase + kCodeAt;
  uint8_t code[2] = {0xf3, 0x90};
  plectl_payload payload{"mine", 1, PLECTL_PAYLOAD_LOCK, {"first", "second"}, 0, kBase, 0};

  [[nodiscard]] std::vector<uint8_t> Build() const {
    std::vector<uint8_t> memory(kResultAt);
    std::memcpy(memory.data() + kCodeAt, code, sizeof code);
    std::memcpy(memory.data() + kSitesAt, &site, sizeof site);
    std::memcpy(memory.data() + kPayloadAt, &payload, sizeof payload);
    ElfBuilder elf;
    elf.Add(PT_LOAD, kBase, memory, kMemorySize);
    elf.Add(PT_NOTE, 0, NoteBytes("plectl", PLECTL_NOTE_TYPE, ObjectBytes(note)), 0);
    elf.Add(PT_NOTE, 0, NoteBytes("Xen", 18, ObjectBytes(entry)), 0);
    return elf.Build();
  }
  [[nodiscard]] std::string Error() const {
    const auto image = PayloadImage::Parse(Build());
    return image ? "no error" : image.error().Text();
  }
};

// Where binutils' disassembler finds the instruction PAUSE. (The bytes alone can be a part of some
// displacement.)
std::vector<uint64_t> PauseInstructions(Bytes elf) {
  const TempDir dir;
  const std::filesystem::path file = dir.path() / "guest.elf";
  EXPECT_TRUE(WriteFileAtomically(file, {reinterpret_cast<const char*>(elf.data()), elf.size()}));
  ChildOptions objdump;
  objdump.argv = {"objdump", "-d", "--no-show-raw-insn", file.string()};
  const std::string listing = RunChildOrFail(objdump, std::chrono::seconds(60)).value();
  std::vector<uint64_t> addresses;
  for (const std::string_view line : Split(listing, '\n')) {
    if (!line.ends_with("\tpause")) continue;
    addresses.push_back(std::stoull(std::string(line), nullptr, 16));
  }
  return addresses;
}

PayloadImage RealPayload() { return PayloadImage::Parse(EmbeddedPayloadElf()).value(); }

TEST(PayloadImage, ReadsASmallPayload) {
  const auto image = PayloadImage::Parse(SmallPayload().Build());
  ASSERT_TRUE(image) << image.error().Text();
  EXPECT_EQ(image->entry(), kBase);
  EXPECT_EQ(image->result_block(), kBase + kResultAt);
  EXPECT_THAT(image->relax_sites(), ::testing::ElementsAre(kBase + kCodeAt));
  ASSERT_EQ(image->payloads().size(), 1U);
  EXPECT_EQ(image->payloads()[0].name, "mine");
  EXPECT_TRUE(image->payloads()[0].is_lock);
  EXPECT_FALSE(image->payloads()[0].is_spinner);
  EXPECT_FALSE(image->payloads()[0].can_turn_interrupts_off);
  EXPECT_THAT(image->payloads()[0].extra_names, ::testing::ElementsAre("first", "second"));
}

TEST(PayloadImage, NamesBothAbiVersions) {
  const auto image = PayloadImage::Parse(WrongAbiGuestElf());
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(image.error().message, HasSubstr("ABI version 99"));
  EXPECT_THAT(image.error().message, HasSubstr("speaks version 4"));
}

TEST(PayloadImage, RefusesMissingOrShortNotes) {
  ElfBuilder elf;
  elf.Add(PT_LOAD, kBase, {1}, 1);
  EXPECT_THAT(PayloadImage::Parse(elf.Build()).error().message, HasSubstr("no note \"plectl\""));
  const uint32_t version = PLECTL_ABI_VERSION;
  elf.Add(PT_NOTE, 0, NoteBytes("plectl", PLECTL_NOTE_TYPE, ObjectBytes(version)), 0);
  EXPECT_THAT(PayloadImage::Parse(elf.Build()).error().message, HasSubstr("has 4 bytes"));
}

TEST(PayloadImage, RefusesAddressesOutOfBounds) {
  SmallPayload payload;
  payload.entry = 0x7000;
  EXPECT_THAT(payload.Error(), HasSubstr("entry point 0x7000"));
  payload = {};
  payload.note.boot_block = ~uint64_t{0};
  EXPECT_THAT(payload.Error(), HasSubstr("boot block"));
  payload = {};
  payload.note.result_block = kBase + kMemorySize - sizeof(plectl_result_block) + 1;
  EXPECT_THAT(payload.Error(), HasSubstr("result block"));
  payload = {};
  payload.note.wait_histograms += 1;
  EXPECT_THAT(payload.Error(), HasSubstr("wait histograms at 0x108001"));
  payload = {};
  payload.note.relax_sites_size = ~uint64_t{7};
  EXPECT_THAT(payload.Error(), HasSubstr("relax-site table"));
  payload = {};
  payload.note.relax_sites_size = 7;
  EXPECT_THAT(payload.Error(), HasSubstr("relax-site table"));
  payload = {};
  payload.note.payloads_size = 0;
  EXPECT_THAT(payload.Error(), HasSubstr("payload table"));
  payload = {};
  payload.note.payloads = 0;
  EXPECT_THAT(payload.Error(), HasSubstr("payload table"));
}

TEST(PayloadImage, RefusesSitesWithoutPause) {
  SmallPayload payload;
  payload.code[0] = 0x90;
  EXPECT_THAT(payload.Error(), HasSubstr("relax site 0x100010 holds 90 90, not PAUSE"));
  payload = {};
  payload.site = 5;
  EXPECT_THAT(payload.Error(), HasSubstr("relax site 0x5 is not in loaded memory"));
}

TEST(PayloadImage, RefusesBadPayloadTables) {
  SmallPayload payload;
  payload.payload.name[0] = 'A';
  EXPECT_THAT(payload.Error(), HasSubstr("invalid name"));
  payload = {};
  std::ranges::fill(payload.payload.name, 'a');
  EXPECT_THAT(payload.Error(), HasSubstr("invalid name"));
  payload = {};
  payload.payload.min_vcpus = 65;
  EXPECT_THAT(payload.Error(), HasSubstr("at least 65 vCPUs"));
  payload = {};
  payload.payload.extra_names[1][0] = '"';
  EXPECT_THAT(payload.Error(), HasSubstr("invalid extra name"));
}

TEST(PayloadImage, DecodesEveryFlag) {
  const std::vector<std::pair<uint32_t, bool PayloadInfo::*>> flags = {
      {PLECTL_PAYLOAD_LOCK, &PayloadInfo::is_lock},
      {PLECTL_PAYLOAD_ROUNDS, &PayloadInfo::has_rounds},
      {PLECTL_PAYLOAD_SPINNER, &PayloadInfo::is_spinner},
      {PLECTL_PAYLOAD_INTERRUPTS_OFF, &PayloadInfo::can_turn_interrupts_off},
      {PLECTL_PAYLOAD_HOLDS, &PayloadInfo::holds},
      {PLECTL_PAYLOAD_THINKS, &PayloadInfo::thinks},
      {PLECTL_PAYLOAD_DURATION, &PayloadInfo::takes_duration},
      {PLECTL_PAYLOAD_BODY_LOOPS, &PayloadInfo::takes_body_loops},
      {PLECTL_PAYLOAD_RELAX_REPEAT, &PayloadInfo::takes_relax_repeat},
      {PLECTL_PAYLOAD_RANDOM, &PayloadInfo::is_random},
  };
  for (const auto& [flag, member] : flags) {
    SmallPayload payload;
    payload.payload.flags = flag;
    const auto image = PayloadImage::Parse(payload.Build());
    ASSERT_TRUE(image) << image.error().Text();
    for (const auto& [other, other_member] : flags) {
      const bool implied = flag == PLECTL_PAYLOAD_LOCK && other == PLECTL_PAYLOAD_ROUNDS;
      EXPECT_EQ(image->payloads()[0].*other_member, other == flag || implied) << flag << other;
    }
  }
}

// The claim that every comparison of arms rests on.
TEST(PayloadImage, ArmsOfTheRealElfDifferInOneBytePerRelaxSite) {
  const PayloadImage image = RealPayload();
  const plectl_boot_block boot{};
  const MemoryImage pause = image.Memory(RelaxInstruction::kPause, boot);
  const MemoryImage nop = image.Memory(RelaxInstruction::kNop, boot);
  ASSERT_EQ(pause.address, nop.address);
  ASSERT_EQ(pause.bytes.size(), nop.bytes.size());
  std::vector<uint64_t> different;
  for (size_t i = 0; i < pause.bytes.size(); ++i) {
    if (pause.bytes[i] == nop.bytes[i]) continue;
    different.push_back(pause.address + i);
    EXPECT_EQ(pause.bytes[i], 0xf3);
    EXPECT_EQ(nop.bytes[i], 0x90);
    EXPECT_EQ(nop.bytes[i + 1], 0x90);
  }
  std::vector<uint64_t> sites = image.relax_sites();
  std::ranges::sort(sites);
  EXPECT_EQ(different, sites);
  EXPECT_GE(sites.size(), 4U);
}

// Anything else that is a PAUSE would make exits in the nop arm.
TEST(PayloadImage, RealElfHasPausesAtItsRelaxSitesOnly) {
  std::vector<uint64_t> sites = RealPayload().relax_sites();
  std::ranges::sort(sites);
  EXPECT_EQ(PauseInstructions(EmbeddedPayloadElf()), sites);
}

TEST(PayloadImage, RealElfCarriesTheBootBlock) {
  const PayloadImage image = RealPayload();
  plectl_boot_block boot{};
  boot.magic = PLECTL_BOOT_MAGIC;
  boot.iterations = 0x1122334455667788;
  const MemoryImage memory = image.Memory(RelaxInstruction::kPause, boot);
  const Bytes wanted = ObjectBytes(boot);
  EXPECT_NE(std::search(memory.bytes.begin(), memory.bytes.end(), wanted.begin(), wanted.end()),
            memory.bytes.end());
}

TEST(PayloadImage, MemoryEndsWhereOnlyZerosFollow) {
  const PayloadImage image = RealPayload();
  const auto segments = ParseElf(EmbeddedPayloadElf(), {0, PLECTL_MEMORY_SIZE}).value().segments;
  const MemoryImage memory = image.Memory(RelaxInstruction::kPause, plectl_boot_block{});
  EXPECT_GE(memory.address + memory.bytes.size(),
            segments.back().address + segments.back().bytes.size());
  EXPECT_LT(memory.address + memory.bytes.size(),
            segments.back().address + segments.back().memory_size);
}

TEST(PayloadImage, CommonSha256CoversCodeButNotTheArm) {
  const PayloadImage real = RealPayload();
  EXPECT_EQ(real.CommonSha256().size(), 64U);
  EXPECT_EQ(real.CommonSha256(), RealPayload().CommonSha256());
  EXPECT_NE(real.CommonSha256(), PayloadImage::Parse(HostileGuestElf()).value().CommonSha256());
}

TEST(PayloadImage, SurvivesEveryTruncationOfTheRealElf) {
  const Bytes elf = EmbeddedPayloadElf();
  size_t refused = 0;
  for (size_t size = 0; size < elf.size(); size += 7) {
    refused += PayloadImage::Parse(elf.first(size)) ? 0 : 1;
  }
  EXPECT_GT(refused, elf.size() / 7 * 9 / 10);  // without its symbols it is still a whole payload
}

TEST(PayloadImage, SurvivesRandomDamageToTheRealElf) {
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same damage every time
  const Bytes original = EmbeddedPayloadElf();
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint8_t> elf(original.begin(), original.end());
    for (int i = 0; i < 4; ++i) {
      const size_t limit = i % 2 == 0 ? 0x100 : elf.size();  // the headers more often
      elf[random() % limit] = static_cast<uint8_t>(random());
    }
    const auto image = PayloadImage::Parse(elf);
    if (!image) continue;
    EXPECT_FALSE(image->Memory(RelaxInstruction::kNop, plectl_boot_block{}).bytes.empty());
  }
}

}  // namespace
}  // namespace plectl::guests
