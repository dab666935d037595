// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kvm_btf.h"

#include <bpf/btf.h>
#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host_tools/host/bpf_support.h"
#include "host_tools/host/module_params.h"

namespace plectl::host {
namespace {

constexpr std::string_view kNoBtfHint =
    "the kernel needs CONFIG_DEBUG_INFO_BTF_MODULES; use the perf observers on this host";

struct Member {
  uint32_t offset = 0;
  uint32_t type = 0;
};

const btf_type* StructOf(const btf& types, uint32_t id) {
  const btf_type* type = btf__type_by_id(&types, id);
  while (type != nullptr && (btf_is_mod(type) || btf_is_typedef(type))) {
    type = btf__type_by_id(&types, type->type);
  }
  return type != nullptr && btf_is_composite(type) ? type : nullptr;
}

std::vector<Member> MembersOf(const btf& types, const Member& outer) {
  std::vector<Member> members;
  const btf_type* type = StructOf(types, outer.type);
  for (uint32_t i = 0; type != nullptr && i < btf_vlen(type); ++i) {
    const uint32_t offset = btf_member_bit_offset(type, i) / 8;
    members.push_back({.offset = outer.offset + offset, .type = btf_members(type)[i].type});
  }
  return members;
}

std::optional<Member> NamedMemberOf(const btf& types, const Member& outer, std::string_view name) {
  const btf_type* type = StructOf(types, outer.type);
  const std::vector<Member> members = MembersOf(types, outer);
  for (uint32_t i = 0; i < members.size(); ++i) {
    if (name == btf__name_by_offset(&types, btf_members(type)[i].name_off)) return members[i];
  }
  return std::nullopt;
}

// The shallowest member `name` in `outer` or in the structures embedded in it: kernels move members
// into sub-structures, but keep their names.
std::optional<Member> FindMember(const btf& types, const Member& outer, std::string_view name) {
  if (auto member = NamedMemberOf(types, outer, name)) return member;
  for (const Member& inner : MembersOf(types, outer)) {
    if (auto member = NamedMemberOf(types, inner, name)) return member;
  }
  return std::nullopt;
}

// A module's structures are its last types: btf__find_by_name_kind() would first compare the names
// of all of the kernel's, which takes as long as reading them.
std::optional<uint32_t> FindStruct(const btf& types, std::string_view name) {
  for (uint32_t id = btf__type_cnt(&types) - 1; id > 0; --id) {
    const btf_type* type = btf__type_by_id(&types, id);
    if (btf_is_struct(type) && name == btf__name_by_offset(&types, type->name_off)) return id;
  }
  return std::nullopt;
}

// The offset of `name`, which must have one of two sizes, in struct `outer`.
Result<uint32_t> OffsetOf(const btf& types, const char* outer, const char* name, int64_t size,
                          int64_t other_size) {
  std::optional<Member> member;
  if (const auto id = FindStruct(types, outer)) member = FindMember(types, {.type = *id}, name);
  if (!member) {
    return Environment(
        fmt::format("find {} in struct {} in the BTF of KVM: not there", name, outer),
        "use the perf observers: this kernel is laid out differently");
  }
  const int64_t actual = btf__resolve_size(&types, member->type);
  if (actual == size || actual == other_size) return member->offset;
  return Environment(fmt::format("find {} in struct {} in the BTF of KVM: it has {} bytes, not {}",
                                 name, outer, actual, size),
                     "use the perf observers: this kernel is laid out differently");
}

using BtfPtr = std::unique_ptr<btf, decltype(&btf__free)>;

Result<BtfPtr> ParseBtf(const std::string& path, btf* base) {
  const LibbpfLog log;
  BtfPtr types(btf__parse_split(path.c_str(), base), &btf__free);
  if (types != nullptr) return types;
  return SystemFailure(fmt::format("read type information {}", path), errno,
                       std::string(kNoBtfHint));
}

// The types of a module, read over the kernel's; nothing when it is built in: then they are the
// kernel's.
Result<BtfPtr> ReadModuleTypes(const HostRoot& root, KvmModule module, std::string_view name,
                               btf* kernel) {
  const std::string path = fmt::format("/sys/kernel/btf/{}", name);
  if (!root.Exists(path) && IsBuiltIn(root, module)) return BtfPtr(nullptr, &btf__free);
  return ParseBtf(root.Path(path).string(), kernel);
}

// The type that a tracepoint's probes have: "typedef void (*btf_trace_kvm_exit)(void*, ...)", made
// for BPF in every kernel since 5.5.
const btf_type* ProbeOf(const btf& types, std::string_view tracepoint) {
  const std::string name = fmt::format("btf_trace_{}", tracepoint);
  for (uint32_t id = btf__type_cnt(&types) - 1; id > 0; --id) {
    const btf_type* type = btf__type_by_id(&types, id);
    if (!btf_is_typedef(type) || name != btf__name_by_offset(&types, type->name_off)) continue;
    const btf_type* pointer = btf__type_by_id(&types, type->type);
    if (pointer == nullptr || !btf_is_ptr(pointer)) return nullptr;
    const btf_type* function = btf__type_by_id(&types, pointer->type);
    return function != nullptr && btf_is_func_proto(function) ? function : nullptr;
  }
  return nullptr;
}

bool IsPointerToVcpu(const btf& types, uint32_t id) {
  const btf_type* type = btf__type_by_id(&types, id);
  if (type == nullptr || !btf_is_ptr(type)) return false;
  type = btf__type_by_id(&types, type->type);
  while (type != nullptr && btf_is_mod(type)) type = btf__type_by_id(&types, type->type);
  if (type == nullptr || !(btf_is_struct(type) || btf_is_fwd(type))) return false;
  return std::string_view(btf__name_by_offset(&types, type->name_off)) == "kvm_vcpu";
}

// Its first parameter belongs to the tracepoint's mechanism and is no argument.
std::optional<uint32_t> VcpuArgument(const btf& types, std::string_view tracepoint) {
  const btf_type* probe = ProbeOf(types, tracepoint);
  for (uint32_t i = 1; probe != nullptr && i < btf_vlen(probe); ++i) {
    if (IsPointerToVcpu(types, btf_params(probe)[i].type)) return i - 1;
  }
  return std::nullopt;
}

}  // namespace

Result<ExitCodeLocation> FindExitCode(const btf& types, KvmModule module) {
  ExitCodeLocation location;
  if (module == KvmModule::kIntel) {
    PLECTL_ASSIGN_OR_RETURN(location.exit_code_offset,
                            OffsetOf(types, "vcpu_vmx", "exit_reason", 4, 4));
    return location;
  }
  PLECTL_ASSIGN_OR_RETURN(location.vmcb_offset, OffsetOf(types, "vcpu_svm", "vmcb", 8, 8));
  // Little endian: the low half of the 64-bit field of newer kernels is the code.
  PLECTL_ASSIGN_OR_RETURN(location.exit_code_offset, OffsetOf(types, "vmcb", "exit_code", 4, 8));
  return location;
}

Result<VcpuLayout> FindVcpuLayout(const btf& types, const btf& kvm_types, KvmModule module) {
  VcpuLayout layout;
  const auto exit_argument = VcpuArgument(kvm_types, "kvm_exit");
  if (!exit_argument) {
    return Environment("find the vCPU among the arguments of tracepoint kvm_exit in the BTF of KVM",
                       "use the perf observers: this kernel traces exits differently");
  }
  layout.exit_vcpu_argument = *exit_argument;
  layout.entry_vcpu_argument = VcpuArgument(kvm_types, "kvm_entry");
  PLECTL_ASSIGN_OR_RETURN(layout.exit_code, FindExitCode(types, module));
  PLECTL_ASSIGN_OR_RETURN(layout.vcpu_id_offset, OffsetOf(types, "kvm_vcpu", "vcpu_id", 4, 4));
  return layout;
}

Result<VcpuLayout> FindVcpuLayout(const HostRoot& root, KvmModule module) {
  const std::string vmlinux = root.Path("/sys/kernel/btf/vmlinux").string();
  PLECTL_ASSIGN_OR_RETURN(const BtfPtr kernel, ParseBtf(vmlinux, nullptr));
  PLECTL_ASSIGN_OR_RETURN(const BtfPtr kvm, ReadModuleTypes(root, module, "kvm", kernel.get()));
  PLECTL_ASSIGN_OR_RETURN(const BtfPtr vendor,
                          ReadModuleTypes(root, module, ModuleName(module), kernel.get()));
  const auto or_kernel = [&](const BtfPtr& types) -> const btf& {
    return types == nullptr ? *kernel : *types;
  };
  return FindVcpuLayout(or_kernel(vendor), or_kernel(kvm), module);
}

}  // namespace plectl::host
