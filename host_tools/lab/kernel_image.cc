// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_image.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "host_tools/base/file.h"
#include "host_tools/lab/kernel_modules.h"
#include "host_tools/lab/little_endian.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

// Places in the header of a bzImage.
constexpr size_t kSetupSectors = 0x1f1;
constexpr size_t kMagic = 0x202;
constexpr size_t kProtocol = 0x206;
constexpr size_t kLoadFlags = 0x236;
constexpr size_t kVersionPointer = 0x20e;
constexpr size_t kPayloadOffset = 0x248;
constexpr size_t kPayloadLength = 0x24c;
constexpr size_t kHeaderEnd = 0x268;
constexpr int kProtocolOfLoadFlags = 0x20c;
constexpr uint8_t kHas64BitEntry = 1;
constexpr size_t kSectorSize = 512;
constexpr size_t kReleaseMax = 64;  // __NEW_UTS_LEN
constexpr size_t kVersionMax = 512;
constexpr size_t kConfigMax = size_t{4} << 20;

// What other files are that people take for it.
Failure NoImage(std::string_view bytes) {
  constexpr size_t kArmMagic = 56;
  if (bytes.starts_with("\x7f"
                        "ELF")) {
    return BadInput("it is an ELF file (vmlinux), not a bzImage",
                    "give what the kernel's build leaves in arch/x86/boot/bzImage");
  }
  if (bytes.size() > kArmMagic && bytes.substr(kArmMagic).starts_with("ARM\x64")) {
    return BadInput("it is a kernel for arm64, the lab is a PC (amd64)", "give one for amd64");
  }
  return BadInput("it is no kernel image (bzImage) of Linux for x86",
                  "give what the kernel's build leaves in arch/x86/boot/bzImage");
}

std::string_view Below(std::string_view bytes, size_t offset, size_t length) {
  if (offset > bytes.size()) return {};
  return bytes.substr(offset, length);
}

// Releases become names of files.
bool IsPlainRelease(std::string_view release) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_~";
  return !release.empty() && release.size() <= kReleaseMax && release.front() != '.' &&
         release.find_first_not_of(kPlain) == std::string_view::npos;
}

struct Packing {
  std::string_view magic;
  std::string_view suffix;
  size_t trailer;  // the build appends the length where the format has none
};
constexpr std::array<Packing, 3> kPackings = {{{"\x1f\x8b", ".gz", 0},
                                               {"\xfd"
                                                "7zXZ",
                                                ".xz", 4},
                                               {"\x28\xb5\x2f\xfd", ".zst", 4}}};

std::optional<std::string> Inflate(std::string_view gzip) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  z_stream stream{};
  if (::inflateInit2(&stream, kGzipOnly) != Z_OK) return std::nullopt;
  std::string bytes(kConfigMax, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(std::min(gzip.size(), kConfigMax));
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  const bool whole = ::inflate(&stream, Z_FINISH) == Z_STREAM_END;
  bytes.resize(stream.total_out);
  ::inflateEnd(&stream);
  if (!whole) return std::nullopt;
  return bytes;
}

}  // namespace

Result<ImageHeader> ParseImageHeader(std::string_view image) {
  if (image.size() < kHeaderEnd || image.substr(kMagic, 4) != "HdrS") return NoImage(image);
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(image[at]); };
  const int protocol = byte(kProtocol) + byte(kProtocol + 1) * 256;
  if (protocol >= kProtocolOfLoadFlags && (byte(kLoadFlags) & kHas64BitEntry) == 0) {
    return BadInput("it is a kernel of 32 bits (built without CONFIG_X86_64)",
                    "give one of 64 bits");
  }
  const size_t version_at =
      size_t{byte(kVersionPointer)} + size_t{byte(kVersionPointer + 1)} * 256 + kSectorSize;
  const std::string_view version = Below(image, version_at, kVersionMax);
  const std::string_view text = version.substr(0, version.find('\0'));
  ImageHeader header;
  header.release = text.substr(0, text.find(' '));
  if (!IsPlainRelease(header.release))
    return BadInput("the kernel image does not name its release");
  if (const size_t number = text.find(" #"); number != std::string_view::npos) {
    header.build = text.substr(number + 1);
  }
  const size_t setup_sectors = byte(kSetupSectors) == 0 ? 4 : byte(kSetupSectors);
  const size_t code = (setup_sectors + 1) * kSectorSize;
  const size_t payload = code + ReadLittleEndian(image.substr(kPayloadOffset));
  header.payload = Below(image, payload, ReadLittleEndian(image.substr(kPayloadLength)));
  return header;
}

Result<std::string> ImageReleaseOf(const fs::path& file) {
  PLECTL_ASSIGN_OR_RETURN(const std::string image, ReadFile(file));
  const Result<ImageHeader> header = ParseImageHeader(image);
  if (!header) return Fail(WithContext(file.string(), header.error()));
  return header->release;
}

Result<std::string> ImageBuildOf(const fs::path& file) {
  PLECTL_ASSIGN_OR_RETURN(const std::string image, ReadFile(file));
  PLECTL_ASSIGN_OR_RETURN(const ImageHeader header, ParseImageHeader(image));
  if (!header.build.empty()) return header.build;
  return BadInput(fmt::format("{} does not name its build", file.string()));
}

std::optional<std::string> EmbeddedConfig(std::string_view kernel) {
  constexpr std::string_view kStart = "IKCFG_ST";
  constexpr std::string_view kGzip = "\x1f\x8b";
  int tries = 16;  // a kernel has one; bytes that are made up may have a million
  for (size_t at = kernel.find(kStart); at != std::string_view::npos && tries > 0;
       at = kernel.find(kStart, at + 1)) {
    const std::string_view rest = kernel.substr(at + kStart.size());
    if (!rest.starts_with(kGzip)) continue;  // the mark in a string, as extract-ikconfig has it
    --tries;
    if (auto config = Inflate(rest)) return config;
  }
  return std::nullopt;
}

std::optional<std::string> ConfigInImage(const fs::path& file, const fs::path& scratch) {
  const Result<std::string> image = ReadFile(file);
  if (!image) return std::nullopt;
  const Result<ImageHeader> header = ParseImageHeader(*image);
  if (!header) return std::nullopt;
  const auto* const packing = std::ranges::find_if(
      kPackings, [&](const Packing& one) { return header->payload.starts_with(one.magic); });
  if (packing == kPackings.end() || header->payload.size() <= packing->trailer) {
    return EmbeddedConfig(header->payload);
  }
  const fs::path unpacked = scratch / "vmlinux";
  const fs::path packed = unpacked.string() + std::string(packing->suffix);
  const size_t length = header->payload.size() - packing->trailer;
  if (!WriteFileAtomically(packed, header->payload.substr(0, length))) return std::nullopt;
  if (!Decompress(packed)) return std::nullopt;
  const Result<std::string> kernel = ReadFile(unpacked);
  return kernel ? EmbeddedConfig(*kernel) : std::nullopt;
}

}  // namespace plectl::lab
