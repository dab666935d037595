// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kvm_btf.h"

#include <bpf/btf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/host/fake_host.h"

namespace plectl::host {
namespace {

using ::testing::HasSubstr;

// Type information as a kernel's module would have it. Offsets are in bytes.
class Types {
 public:
  Types() : btf_(btf__new_empty(), &btf__free) {
    u32_ = btf__add_int(btf_.get(), "u32", 4, 0);
    u64_ = btf__add_int(btf_.get(), "u64", 8, 0);
  }
  struct Member {
    const char* name;
    int type;
    uint32_t offset;
  };
  int Struct(const char* name, uint32_t size, const std::vector<Member>& members) {
    const int id = btf__add_struct(btf_.get(), name, size);
    for (const Member& member : members) {
      btf__add_field(btf_.get(), member.name, member.type, member.offset * 8, 0);
    }
    return id;
  }
  int Union(uint32_t size, const char* first, int first_type) {
    const int id = btf__add_union(btf_.get(), nullptr, size);
    btf__add_field(btf_.get(), first, first_type, 0, 0);
    return id;
  }
  // A pointer to a structure of that name that is only declared.
  int PointerTo(const char* name) {
    return btf__add_ptr(btf_.get(), btf__add_fwd(btf_.get(), name, BTF_FWD_STRUCT));
  }
  // typedef void (*btf_trace_NAME)(void*, ARGUMENTS)
  void Probe(const std::string& name, const std::vector<int>& arguments) {
    const int data = Pointer();
    const int function = btf__add_func_proto(btf_.get(), 0);
    btf__add_func_param(btf_.get(), nullptr, data);
    for (const int argument : arguments) btf__add_func_param(btf_.get(), nullptr, argument);
    const int pointer = btf__add_ptr(btf_.get(), function);
    btf__add_typedef(btf_.get(), ("btf_trace_" + name).c_str(), pointer);
  }
  int Pointer() { return btf__add_ptr(btf_.get(), u64_); }
  [[nodiscard]] int u32() const { return u32_; }
  [[nodiscard]] int u64() const { return u64_; }
  [[nodiscard]] const btf& Get() const { return *btf_; }

 private:
  std::unique_ptr<btf, decltype(&btf__free)> btf_;
  int u32_ = 0;
  int u64_ = 0;
};

std::string ErrorOf(const Types& types, KvmModule module) {
  const auto location = FindExitCode(types.Get(), module);
  return location ? "no error" : location.error().Text();
}

TEST(KvmBtf, FindsTheExitReasonOfVmx) {
  Types types;
  const int reason = types.Union(4, "full", types.u32());
  types.Struct("vcpu_vmx", 64, {{"vcpu", types.u64(), 0}, {"exit_reason", reason, 40}});
  EXPECT_EQ(FindExitCode(types.Get(), KvmModule::kIntel).value(),
            (ExitCodeLocation{.vmcb_offset = 0, .exit_code_offset = 40}));
}

// Linux 6.15 moved it into a structure that vcpu_vmx begins with.
TEST(KvmBtf, FindsTheExitReasonInAnEmbeddedStructure) {
  Types types;
  const int vt =
      types.Struct("vcpu_vt", 16, {{"pi_list", types.u64(), 0}, {"exit_reason", types.u32(), 12}});
  types.Struct("vcpu_vmx", 64, {{"vcpu", types.u64(), 0}, {"vt", vt, 32}});
  EXPECT_EQ(FindExitCode(types.Get(), KvmModule::kIntel).value().exit_code_offset, 44U);
}

TEST(KvmBtf, FindsTheNumberOfAVcpu) {
  Types types;
  types.Struct("kvm_vcpu", 64, {{"kvm", types.u64(), 0}, {"vcpu_id", types.u32(), 44}});
  types.Struct("vcpu_vmx", 64, {{"vcpu", types.u64(), 0}, {"exit_reason", types.u32(), 40}});
  types.Probe("kvm_exit", {types.PointerTo("kvm_vcpu"), types.u32()});
  types.Probe("kvm_entry", {types.PointerTo("kvm_vcpu")});
  EXPECT_EQ(FindVcpuLayout(types.Get(), types.Get(), KvmModule::kIntel).value(),
            (VcpuLayout{.exit_code = {.exit_code_offset = 40}, .vcpu_id_offset = 44}));
}

// Linux 5.15: kvm_exit(exit_reason, vcpu, isa). Linux 5.10: kvm_entry(vcpu_id).
TEST(KvmBtf, FindsTheVcpuAmongTheArgumentsOfOlderKernels) {
  Types types;
  types.Struct("kvm_vcpu", 64, {{"kvm", types.u64(), 0}, {"vcpu_id", types.u32(), 44}});
  types.Struct("vcpu_vmx", 64, {{"vcpu", types.u64(), 0}, {"exit_reason", types.u32(), 40}});
  types.Probe("kvm_exit", {types.u32(), types.PointerTo("kvm_vcpu"), types.u32()});
  types.Probe("kvm_entry", {types.u32()});
  const VcpuLayout layout = FindVcpuLayout(types.Get(), types.Get(), KvmModule::kIntel).value();
  EXPECT_EQ(layout.exit_vcpu_argument, 1U);
  EXPECT_FALSE(layout.entry_vcpu_argument);
}

TEST(KvmBtf, RefusesATracepointWithoutVcpu) {
  Types types;
  types.Probe("kvm_exit", {types.u32(), types.Pointer()});
  const auto layout = FindVcpuLayout(types.Get(), types.Get(), KvmModule::kIntel);
  ASSERT_FALSE(layout);
  EXPECT_THAT(layout.error().Text(), HasSubstr("arguments of tracepoint kvm_exit"));
}

TEST(KvmBtf, FindsTheExitCodeOfSvm) {
  Types types;
  types.Struct("vcpu_svm", 64, {{"vmcb", types.Pointer(), 24}});
  const int control = types.Struct("vmcb_control_area", 128, {{"exit_code", types.u32(), 112}});
  types.Struct("vmcb", 4096, {{"control", control, 0}});
  EXPECT_EQ(FindExitCode(types.Get(), KvmModule::kAmd).value(),
            (ExitCodeLocation{.vmcb_offset = 24, .exit_code_offset = 112}));
}

TEST(KvmBtf, SaysWhatIsNotThere) {
  Types types;
  EXPECT_THAT(ErrorOf(types, KvmModule::kIntel), HasSubstr("exit_reason in struct vcpu_vmx"));
  types.Struct("vcpu_svm", 64, {{"vmcb", types.Pointer(), 24}});
  EXPECT_THAT(ErrorOf(types, KvmModule::kAmd), HasSubstr("exit_code in struct vmcb"));
}

TEST(KvmBtf, RefusesAMemberOfAnotherSize) {
  Types types;
  types.Struct("vcpu_vmx", 64, {{"exit_reason", types.u64(), 8}});
  EXPECT_THAT(ErrorOf(types, KvmModule::kIntel), HasSubstr("it has 8 bytes, not 4"));
}

TEST(KvmBtf, SaysThatAHostHasNone) {
  const FakeHost host("intel_ple");
  const auto location = FindVcpuLayout(host.root(), KvmModule::kIntel);
  ASSERT_FALSE(location);
  EXPECT_THAT(location.error().Text(), HasSubstr("/sys/kernel/btf/vmlinux"));
}

}  // namespace
}  // namespace plectl::host
