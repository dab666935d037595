// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/payload_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "host_tools/base/sha256.h"
#include "host_tools/guests/elf_image.h"

namespace plectl::guests {
namespace {

constexpr AddressRange kPayloadMemory{PLECTL_LOAD_ADDRESS, PLECTL_MEMORY_SIZE};
// XEN_ELFNOTE_PHYS32_ENTRY (Xen's public/elfnote.h).
constexpr uint32_t kXenPhys32Entry = 18;

template <class T>
Result<T> ReadNote(const ElfImage& elf, std::string_view owner, uint32_t type) {
  const auto note = std::ranges::find_if(
      elf.notes, [&](const ElfNote& n) { return n.owner == owner && n.type == type; });
  if (note == elf.notes.end()) {
    return BadInput(fmt::format("ELF has no note \"{}\" of type {}", owner, type),
                    "give an ELF that was built with this version of guest_workloads/rt");
  }
  const auto descriptor = ReadObject<T>(note->descriptor, 0);
  if (!descriptor) {
    return BadInput(fmt::format("ELF note \"{}\" has {} bytes, expected {}", owner,
                                note->descriptor.size(), sizeof(T)));
  }
  return *descriptor;
}

Result<plectl_note> ReadPlectlNote(const ElfImage& elf) {
  // The version alone first: of another version, nothing else can be understood.
  PLECTL_ASSIGN_OR_RETURN(const uint32_t version,
                          ReadNote<uint32_t>(elf, PLECTL_NOTE_OWNER, PLECTL_NOTE_TYPE));
  if (version != PLECTL_ABI_VERSION) {
    return BadInput(fmt::format("payload has ABI version {}, this plectl speaks version {}",
                                version, PLECTL_ABI_VERSION),
                    "build the payload and plectl from the same source");
  }
  return ReadNote<plectl_note>(elf, PLECTL_NOTE_OWNER, PLECTL_NOTE_TYPE);
}

// A name of the payload table, or nothing when it is not terminated or not [a-z0-9_]*.
std::optional<std::string> TableName(const char (&field)[PLECTL_NAME_SIZE]) {
  const size_t size = ::strnlen(field, PLECTL_NAME_SIZE);
  const std::string name(field, size);
  const bool plain = std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  if (size == PLECTL_NAME_SIZE || !plain) return std::nullopt;
  return name;
}

void DecodeFlags(uint32_t flags, PayloadInfo& info) {
  const auto has = [flags](uint32_t flag) { return (flags & flag) != 0; };
  info.is_lock = has(PLECTL_PAYLOAD_LOCK);
  info.has_rounds = has(PLECTL_PAYLOAD_LOCK | PLECTL_PAYLOAD_ROUNDS);
  info.is_spinner = has(PLECTL_PAYLOAD_SPINNER);
  info.can_turn_interrupts_off = has(PLECTL_PAYLOAD_INTERRUPTS_OFF);
  info.holds = has(PLECTL_PAYLOAD_HOLDS);
  info.thinks = has(PLECTL_PAYLOAD_THINKS);
  info.takes_duration = has(PLECTL_PAYLOAD_DURATION);
  info.takes_body_loops = has(PLECTL_PAYLOAD_BODY_LOOPS);
  info.takes_relax_repeat = has(PLECTL_PAYLOAD_RELAX_REPEAT);
  info.is_random = has(PLECTL_PAYLOAD_RANDOM);
}

Result<PayloadInfo> DecodePayload(const plectl_payload& entry) {
  const auto name = TableName(entry.name);
  if (!name || name->empty()) return BadInput("payload table has an invalid name");
  PayloadInfo info;
  info.name = *name;
  info.min_vcpus = entry.min_vcpus;
  DecodeFlags(entry.flags, info);
  if (info.min_vcpus == 0 || info.min_vcpus > PLECTL_MAX_VCPUS) {
    return BadInput(fmt::format("payload {} wants at least {} vCPUs, allowed are 1 to {}",
                                info.name, info.min_vcpus, PLECTL_MAX_VCPUS));
  }
  for (const auto& field : entry.extra_names) {
    const auto extra = TableName(field);
    if (!extra) return BadInput(fmt::format("payload {} has an invalid extra name", info.name));
    if (extra->empty()) break;
    info.extra_names.push_back(*extra);
  }
  return info;
}

bool HasName(const std::vector<PayloadInfo>& payloads, const std::string& name) {
  return std::ranges::find(payloads, name, &PayloadInfo::name) != payloads.end();
}

}  // namespace

Result<PayloadImage> PayloadImage::Parse(Bytes elf) {
  PLECTL_ASSIGN_OR_RETURN(const ElfImage image, ParseElf(elf, kPayloadMemory));
  PayloadImage payload;
  payload.Load(image);
  PLECTL_RETURN_IF_ERROR(payload.ReadNotes(image));
  PLECTL_RETURN_IF_ERROR(payload.CheckBlocks());
  PLECTL_RETURN_IF_ERROR(payload.ReadRelaxSites());
  PLECTL_RETURN_IF_ERROR(payload.ReadPayloads());
  PLECTL_ASSIGN_OR_RETURN(std::vector<ElfSymbol> symbols, ReadSymbols(elf));
  payload.places_ = CodePlaces(std::move(symbols), payload.relax_sites_);
  payload.ChooseImageSize(image);
  const MemoryImage common = payload.Memory(RelaxInstruction::kNop, plectl_boot_block{});
  payload.common_sha256_ =
      Sha256Hex({reinterpret_cast<const char*>(common.bytes.data()), common.bytes.size()});
  return payload;
}

void PayloadImage::Load(const ElfImage& elf) {
  const ElfSegment& last = elf.segments.back();
  memory_.address = elf.segments.front().address;
  memory_.bytes.resize(last.address + last.memory_size - memory_.address);
  for (const ElfSegment& segment : elf.segments) {
    std::ranges::copy(segment.bytes, At(memory_, segment.address));
  }
}

Status PayloadImage::ReadNotes(const ElfImage& elf) {
  PLECTL_ASSIGN_OR_RETURN(note_, ReadPlectlNote(elf));
  PLECTL_ASSIGN_OR_RETURN(entry_, ReadNote<uint32_t>(elf, "Xen", kXenPhys32Entry));
  return OkStatus();
}

Status PayloadImage::CheckBlocks() const {
  if (!Loaded(entry_, 1)) return BadInput(fmt::format("entry point {:#x} is not loaded", entry_));
  if (!Loaded(note_.boot_block, sizeof(plectl_boot_block))) {
    return BadInput(fmt::format("boot block at {:#x} is not in loaded memory", note_.boot_block));
  }
  if (!Loaded(note_.result_block, sizeof(plectl_result_block))) {
    return BadInput(
        fmt::format("result block at {:#x} is not in loaded memory", note_.result_block));
  }
  if (!Loaded(note_.wait_histograms, sizeof(plectl_wait_histogram) * PLECTL_MAX_VCPUS)) {
    return BadInput(
        fmt::format("wait histograms at {:#x} are not in loaded memory", note_.wait_histograms));
  }
  return OkStatus();
}

Status PayloadImage::CheckRelaxSite(uint64_t address) const {
  const auto site = Loaded(address, 2);
  if (!site) return BadInput(fmt::format("relax site {:#x} is not in loaded memory", address));
  if ((*site)[0] != PLECTL_RELAX_BYTE_0_PAUSE || (*site)[1] != PLECTL_RELAX_BYTE_1) {
    return BadInput(fmt::format("relax site {:#x} holds {:02x} {:02x}, not PAUSE (f3 90)", address,
                                (*site)[0], (*site)[1]));
  }
  return OkStatus();
}

Status PayloadImage::ReadRelaxSites() {
  const auto table = Loaded(note_.relax_sites, note_.relax_sites_size);
  if (!table || table->size() % sizeof(uint64_t) != 0) {
    return BadInput(fmt::format("relax-site table of {} bytes at {:#x} is out of bounds",
                                note_.relax_sites_size, note_.relax_sites));
  }
  for (uint64_t at = 0; at < table->size(); at += sizeof(uint64_t)) {
    const uint64_t address = ReadObject<uint64_t>(*table, at).value();
    PLECTL_RETURN_IF_ERROR(CheckRelaxSite(address));
    relax_sites_.push_back(address);
  }
  return OkStatus();
}

Status PayloadImage::ReadPayloads() {
  const auto table = Loaded(note_.payloads, note_.payloads_size);
  if (!table || table->empty() || table->size() % sizeof(plectl_payload) != 0) {
    return BadInput(fmt::format("payload table of {} bytes at {:#x} is out of bounds",
                                note_.payloads_size, note_.payloads));
  }
  for (uint64_t at = 0; at < table->size(); at += sizeof(plectl_payload)) {
    const auto entry = ReadObject<plectl_payload>(*table, at).value();
    PLECTL_ASSIGN_OR_RETURN(PayloadInfo info, DecodePayload(entry));
    if (HasName(payloads_, info.name)) {
      return BadInput(fmt::format("payload {} is twice in the payload table", info.name));
    }
    payloads_.push_back(std::move(info));
  }
  return OkStatus();
}

void PayloadImage::ChooseImageSize(const ElfImage& elf) {
  uint64_t end = note_.boot_block + sizeof(plectl_boot_block);
  for (const ElfSegment& segment : elf.segments) {
    end = std::max<uint64_t>(end, segment.address + segment.bytes.size());
  }
  image_size_ = end - memory_.address;
}

MemoryImage PayloadImage::Memory(RelaxInstruction relax, const plectl_boot_block& boot) const {
  const auto begin = memory_.bytes.begin();
  MemoryImage memory{memory_.address, {begin, begin + static_cast<ptrdiff_t>(image_size_)}};
  std::ranges::copy(ObjectBytes(boot), At(memory, note_.boot_block));
  const uint8_t byte =
      relax == RelaxInstruction::kPause ? PLECTL_RELAX_BYTE_0_PAUSE : PLECTL_RELAX_BYTE_0_NOP;
  for (const uint64_t site : relax_sites_) *At(memory, site) = byte;
  return memory;
}

std::optional<Bytes> PayloadImage::Loaded(uint64_t address, uint64_t size) const {
  if (address < memory_.address) return std::nullopt;
  return Slice(memory_.bytes, address - memory_.address, size);
}

uint8_t* PayloadImage::At(MemoryImage& memory, uint64_t address) const {
  return memory.bytes.data() + (address - memory.address);
}

}  // namespace plectl::guests
