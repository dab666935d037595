// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/sched_ext_ops.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "host_tools/base/fd.h"

namespace plectl::host {
namespace {

constexpr const char* kValueType = "bpf_struct_ops_sched_ext_ops";
constexpr size_t kBitsPerByte = 8;

// Where the two members of struct sched_ext_ops lie in the value of its map.
struct Places {
  uint32_t type = 0;
  size_t yield = 0;
  size_t name = 0;
};

std::optional<size_t> MemberOffset(const btf& types, uint32_t type, std::string_view name) {
  const btf_type* const structure = btf__type_by_id(&types, type);
  const btf_member* const members = btf_members(structure);
  for (uint32_t i = 0; i < btf_vlen(structure); ++i) {
    if (name != btf__name_by_offset(&types, members[i].name_off)) continue;
    return btf_member_bit_offset(structure, i) / kBitsPerByte;
  }
  return std::nullopt;
}

std::optional<Places> FindPlaces() {
  const std::unique_ptr<btf, void (*)(btf*)> types(btf__load_vmlinux_btf(), &btf__free);
  if (types == nullptr) return std::nullopt;
  const int value = btf__find_by_name_kind(types.get(), kValueType, BTF_KIND_STRUCT);
  const int ops = btf__find_by_name_kind(types.get(), "sched_ext_ops", BTF_KIND_STRUCT);
  if (value <= 0 || ops <= 0) return std::nullopt;
  const auto data = MemberOffset(*types, static_cast<uint32_t>(value), "data");
  const auto yield = MemberOffset(*types, static_cast<uint32_t>(ops), "yield");
  const auto name = MemberOffset(*types, static_cast<uint32_t>(ops), "name");
  if (!data || !yield || !name) return std::nullopt;
  return Places{static_cast<uint32_t>(value), *data + *yield, *data + *name};
}

// The operations that the map `id` holds, when it is one of sched_ext; programs are their numbers.
std::optional<std::vector<char>> OperationsIn(uint32_t id, const Places& places) {
  const Fd map(bpf_map_get_fd_by_id(id));
  bpf_map_info info = {};
  uint32_t size = sizeof info;
  if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0) return std::nullopt;
  if (info.type != BPF_MAP_TYPE_STRUCT_OPS) return std::nullopt;
  if (info.btf_vmlinux_value_type_id != places.type) return std::nullopt;
  std::vector<char> value(info.value_size);
  const uint32_t only_key = 0;
  if (bpf_map_lookup_elem(map.get(), &only_key, value.data()) != 0) return std::nullopt;
  if (value.size() < places.yield + sizeof(uint64_t) || value.size() <= places.name) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string SchedExtHasYield(const std::string& name) {
  const std::optional<Places> places = FindPlaces();
  if (!places) return "unknown: this kernel's BTF does not describe sched_ext's operations";
  uint32_t id = 0;
  while (bpf_map_get_next_id(id, &id) == 0) {
    const auto value = OperationsIn(id, *places);
    if (!value) continue;
    const char* const its_name = value->data() + places->name;
    if (name != std::string_view(its_name, ::strnlen(its_name, value->size() - places->name))) {
      continue;
    }
    uint64_t program = 0;
    std::memcpy(&program, value->data() + places->yield, sizeof program);
    return program == 0 ? "no" : "yes";
  }
  if (errno == EPERM) return "unknown: BPF maps are for root to see";
  return "unknown: its BPF map was not found";
}

}  // namespace plectl::host
