// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace plectl::monitor {
namespace {

constexpr int kBitsPerWord = 32;
constexpr int kCapabilitiesMax = 64;

struct Capabilities {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words = {};
};

Result<Capabilities> Get() {
  Capabilities capabilities;
  if (::syscall(SYS_capget, &capabilities.header, capabilities.words.data()) == 0) {
    return capabilities;
  }
  return SystemFailure("read the capabilities", errno);
}

uint64_t Bits(const std::vector<int>& wanted) {
  uint64_t bits = 0;
  for (const int capability : wanted) bits |= uint64_t{1} << capability;
  return bits;
}

// What is kept is held already; the bounding set is of what a program could gain, and none is to
// be started. Without CAP_SETPCAP it stays, and no_new_privs has to do.
Status EmptyBoundingSet() {
  for (int capability = 0; capability < kCapabilitiesMax; ++capability) {
    if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0) break;  // the kernel has no more
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EPERM) break;
    return SystemFailure("empty the capability bounding set", errno);
  }
  return OkStatus();
}

}  // namespace

Status KeepOnlyCapabilities(const std::vector<int>& wanted) {
  const uint64_t keep = Bits(wanted);
  PLECTL_ASSIGN_OR_RETURN(Capabilities capabilities, Get());
  PLECTL_RETURN_IF_ERROR(EmptyBoundingSet());
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  capabilities.words[0].permitted &= static_cast<uint32_t>(keep);
  capabilities.words[1].permitted &= static_cast<uint32_t>(keep >> kBitsPerWord);
  for (__user_cap_data_struct& word : capabilities.words) {
    word.effective = word.permitted;
    word.inheritable = 0;
  }
  if (::syscall(SYS_capset, &capabilities.header, capabilities.words.data()) != 0) {
    return SystemFailure("give up capabilities", errno);
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return SystemFailure("give up new privileges", errno);
  }
  return OkStatus();
}

Status BecomeNobody(const std::vector<int>& wanted) {
  constexpr uid_t kNobody = 65534;  // the kernel's overflow id: it owns nothing
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return SystemFailure("keep capabilities", errno);
  // The C library does each of them in all threads.
  if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
      ::setresuid(kNobody, kNobody, kNobody) != 0) {
    return SystemFailure("become an unprivileged user", errno);
  }
  PLECTL_RETURN_IF_ERROR(KeepOnlyCapabilities(wanted));
  if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0) return OkStatus();
  return SystemFailure("keep capabilities no longer", errno);
}

Result<uint64_t> EffectiveCapabilities() {
  PLECTL_ASSIGN_OR_RETURN(const Capabilities capabilities, Get());
  return capabilities.words[0].effective | uint64_t{capabilities.words[1].effective}
                                               << kBitsPerWord;
}

}  // namespace plectl::monitor
