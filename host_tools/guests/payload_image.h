// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest_workloads/abi/abi.h"
#include "host_tools/base/result.h"
#include "host_tools/guests/bytes.h"
#include "host_tools/guests/code_places.h"
#include "host_tools/guests/guest_runner.h"

namespace plectl::guests {

struct ElfImage;

// One entry of the ELF's payload table.
struct PayloadInfo {
  std::string name;
  uint32_t min_vcpus = 1;
  bool is_lock = false;                  // excludes: the protected counter can be checked
  bool has_rounds = false;               // counts acquisitions, and how long it waits for each
  bool is_spinner = false;               // executes at least `iterations` relax instructions
  std::vector<std::string> extra_names;  // what its extra results mean
  // What it honours of a Workload.
  bool can_turn_interrupts_off = false;
  bool holds = false;
  bool thinks = false;
  bool takes_duration = false;
  bool takes_body_loops = false;
  bool takes_relax_repeat = false;
  bool is_random = false;  // uses random_seed whatever the distributions are
};

// Bytes for one range of guest-physical memory.
struct MemoryImage {
  uint64_t address = 0;
  std::vector<uint8_t> bytes;
};

// A payload ELF that fulfils the contract of guest_workloads/abi/abi.h: every address in its note
// is inside of what it loads, and a PAUSE stands at each relax site.
class PayloadImage {
 public:
  // BadInput that says what is wrong with the ELF; hostile bytes are safe. Copies what it needs.
  static Result<PayloadImage> Parse(Bytes elf);

  [[nodiscard]] const std::vector<PayloadInfo>& payloads() const { return payloads_; }
  [[nodiscard]] const std::vector<uint64_t>& relax_sites() const { return relax_sites_; }
  // What stands where in its code.
  [[nodiscard]] const CodePlaces& places() const { return places_; }
  // Physical address of the 32-bit entry point (PVH).
  [[nodiscard]] uint32_t entry() const { return entry_; }
  [[nodiscard]] uint64_t result_block() const { return note_.result_block; }
  // Where the plectl_wait_histogram of vCPU 0 is; the others follow.
  [[nodiscard]] uint64_t wait_histograms() const { return note_.wait_histograms; }
  // Where its memory ends, with what is zero at first.
  [[nodiscard]] uint64_t end() const { return memory_.address + memory_.bytes.size(); }

  // The guest's memory for one arm, up to where it is zero: it differs from the other arm's in the
  // first byte of each relax site, and in nothing else.
  [[nodiscard]] MemoryImage Memory(RelaxInstruction relax, const plectl_boot_block& boot) const;
  // SHA-256 of what is loaded, without the bytes that differ between arms and the boot block.
  [[nodiscard]] const std::string& CommonSha256() const { return common_sha256_; }

 private:
  PayloadImage() = default;
  void Load(const ElfImage& elf);
  Status ReadNotes(const ElfImage& elf);
  Status ReadRelaxSites();
  Status CheckRelaxSite(uint64_t address) const;
  Status ReadPayloads();
  Status CheckBlocks() const;
  void ChooseImageSize(const ElfImage& elf);
  [[nodiscard]] std::optional<Bytes> Loaded(uint64_t address, uint64_t size) const;
  [[nodiscard]] uint8_t* At(MemoryImage& memory, uint64_t address) const;

  MemoryImage memory_;     // as linked
  size_t image_size_ = 0;  // all behind it is zero, and not the boot block
  std::string common_sha256_;
  plectl_note note_{};
  uint32_t entry_ = 0;
  std::vector<uint64_t> relax_sites_;
  std::vector<PayloadInfo> payloads_;
  CodePlaces places_;
};

}  // namespace plectl::guests
