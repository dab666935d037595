// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/exit_statistic.h"

#include <fmt/format.h>
#include <linux/kvm.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "host_tools/guests/kvm_ioctl.h"

namespace plectl::guests {
namespace {

// The fixed part of struct kvm_stats_desc, of which the name follows. Not that type itself: a C++
// compiler gives its flexible array another offset.
struct StatisticDescription {
  uint32_t flags;
  int16_t exponent;
  uint16_t size;
  uint32_t offset;
  uint32_t bucket_size;
};
static_assert(sizeof(StatisticDescription) == 16);

// A vCPU has about 40 statistics of 64 bytes each; histograms make the file a little longer.
constexpr size_t kMaxFileSize = 65536;

}  // namespace

Result<uint64_t> FindStatistic(Bytes file, std::string_view name) {
  const auto header = ReadObject<kvm_stats_header>(file, 0);
  if (!header) return Environment("KVM statistics file is truncated");
  const uint64_t entry_size = sizeof(StatisticDescription) + header->name_size;
  for (uint32_t i = 0; i < header->num_desc; ++i) {
    const auto entry = Slice(file, header->desc_offset + i * entry_size, entry_size);
    if (!entry) return Environment("KVM statistics file is truncated");
    const auto* text = reinterpret_cast<const char*>(entry->data() + sizeof(StatisticDescription));
    if (std::string_view(text, ::strnlen(text, header->name_size)) != name) continue;
    const auto description = ReadObject<StatisticDescription>(*entry, 0).value();
    return uint64_t{header->data_offset} + description.offset;
  }
  return Environment(fmt::format("KVM has no statistic \"{}\"", name));
}

ExitStatistic::ExitStatistic(const Fd& vcpu) {
  if (const Status opened = Open(vcpu); !opened) missing_because_ = opened.error().message;
}

Status ExitStatistic::Open(const Fd& vcpu) {
  PLECTL_ASSIGN_OR_RETURN(const int fd, KVM_IOCTL_VALUE(vcpu, KVM_GET_STATS_FD, 0));
  file_ = Fd(fd);
  std::vector<uint8_t> bytes(kMaxFileSize);
  const ssize_t size = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
  if (size < 0) return SystemFailure("read of KVM's statistics file", errno);
  PLECTL_ASSIGN_OR_RETURN(offset_,
                          FindStatistic({bytes.data(), static_cast<size_t>(size)}, "exits"));
  return OkStatus();
}

Count ExitStatistic::Read() const {
  if (!missing_because_.empty()) return Count::Missing(missing_because_);
  uint64_t value = 0;
  const ssize_t size = ::pread(file_.get(), &value, sizeof value, static_cast<off_t>(offset_));
  if (size == sizeof value) return value;
  return Count::Missing("KVM's statistics file could not be read");
}

}  // namespace plectl::guests
