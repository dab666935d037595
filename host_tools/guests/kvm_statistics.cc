// SPDX-License-Identifier: Apache-2.0
#include "host_tools/guests/kvm_statistics.h"

#include <fmt/format.h>
#include <linux/kvm.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

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

bool IsCumulativeNumber(const StatisticDescription& description) {
  return (description.flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE &&
         description.size == 1;
}

}  // namespace

Result<std::vector<StatisticPlace>> FindCumulativeStatistics(Bytes file) {
  const auto header = ReadObject<kvm_stats_header>(file, 0);
  if (!header) return Environment("KVM statistics file is truncated");
  const uint64_t entry_size = sizeof(StatisticDescription) + header->name_size;
  std::vector<StatisticPlace> places;
  for (uint32_t i = 0; i < header->num_desc; ++i) {
    const auto entry = Slice(file, header->desc_offset + i * entry_size, entry_size);
    if (!entry) return Environment("KVM statistics file is truncated");
    const auto description = ReadObject<StatisticDescription>(*entry, 0).value();
    const uint64_t offset = uint64_t{header->data_offset} + description.offset;
    if (!IsCumulativeNumber(description)) continue;
    if (!Slice(file, offset, sizeof(uint64_t))) {
      return Environment("KVM statistics file has no room for its values");
    }
    const auto* text = reinterpret_cast<const char*>(entry->data() + sizeof(StatisticDescription));
    places.push_back({std::string(text, ::strnlen(text, header->name_size)), offset});
  }
  return places;
}

KvmStatistics::KvmStatistics(const Fd& vm_or_vcpu) : opened_(Open(vm_or_vcpu)) {}

Status KvmStatistics::Open(const Fd& vm_or_vcpu) {
  PLECTL_ASSIGN_OR_RETURN(const int fd, KVM_IOCTL_VALUE(vm_or_vcpu, KVM_GET_STATS_FD, 0));
  file_ = Fd(fd);
  std::vector<uint8_t> bytes(kMaxFileSize);
  const ssize_t size = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
  if (size < 0) return SystemFailure("read of KVM's statistics file", errno);
  PLECTL_ASSIGN_OR_RETURN(places_,
                          FindCumulativeStatistics({bytes.data(), static_cast<size_t>(size)}));
  if (places_.empty()) return OkStatus();
  const auto [first, last] = std::ranges::minmax(places_, {}, &StatisticPlace::offset);
  begin_offset_ = first.offset;
  end_offset_ = last.offset + sizeof(uint64_t);
  return OkStatus();
}

Result<std::vector<uint64_t>> KvmStatistics::Read() const {
  PLECTL_RETURN_IF_ERROR(opened_);
  std::vector<uint8_t> bytes(end_offset_ - begin_offset_);
  const ssize_t size =
      ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(begin_offset_));
  if (size != static_cast<ssize_t>(bytes.size())) {
    return SystemFailure("read of KVM's statistics file", size < 0 ? errno : EIO);
  }
  std::vector<uint64_t> values;
  for (const StatisticPlace& place : places_) {
    values.push_back(ReadObject<uint64_t>(bytes, place.offset - begin_offset_).value());
  }
  return values;
}

StatisticGrowths KvmStatistics::SinceBegin() const {
  StatisticGrowths growths;
  const Result<std::vector<uint64_t>> end = Read();
  if (!end || !begin_) {
    growths.missing_because = (end ? begin_ : end).error().message;
    return growths;
  }
  for (size_t i = 0; i < places_.size(); ++i) {
    growths.values[places_[i].name] = (*end)[i] - (*begin_)[i];
  }
  return growths;
}

Count GrowthOf(const StatisticGrowths& growths, const std::string& name) {
  if (!growths.missing_because.empty()) return Count::Missing(growths.missing_because);
  const auto found = growths.values.find(name);
  if (found != growths.values.end()) return found->second;
  return Count::Missing(fmt::format("KVM has no statistic \"{}\"", name));
}

}  // namespace plectl::guests
