// SPDX-License-Identifier: Apache-2.0
// No content of the files of /proc, /sys and /etc makes the doctor, the fingerprint or the search
// for holders crash, gets anything but printable UTF-8 into what they say, or makes them change the
// host.
//
// The input is a list of records, each ended by RS (0x1e): a character that chooses a file, and
// what is in it. All other files are those of an ordinary host with a VM.
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/text.h"
#include "host_tools/base/utf8.h"
#include "host_tools/host/doctor.h"
#include "host_tools/host/fingerprint.h"
#include "host_tools/host/module_holders.h"

namespace {

namespace fs = std::filesystem;
using plectl::HostRoot;

struct HostFile {
  std::string_view path;
  std::string_view text;
};

// Chosen by '0', '1', ... in this order: append only, or the corpus means something else.
constexpr HostFile kFiles[] = {
    {"proc/cpuinfo",
     "vendor_id\t: GenuineIntel\nmodel name\t: Intel CPU @ 3.40GHz\nflags\t\t: vmx constant_tsc "
     "nonstop_tsc\nvmx flags\t: ept ple\n"},
    {"proc/cmdline", "quiet kvm_intel.ple_gap=64\n"},
    {"proc/meminfo", "MemTotal: 16000000 kB\nMemAvailable: 12000000 kB\n"},
    {"proc/pressure/memory", "some avg10=0.00 avg60=0.10 avg300=0.00 total=1\n"},
    {"proc/sys/kernel/osrelease", "6.1.0-56-cloud-amd64\n"},
    {"proc/sys/kernel/version", "#1 SMP Debian 6.1.170-1 (2026-01-01)\n"},
    {"proc/sys/kernel/random/boot_id", "3865524b-c79f-4934-8574-76f81e677613\n"},
    {"proc/sys/kernel/perf_event_paranoid", "2\n"},
    {"proc/self/cgroup", "0::/user.slice\n"},
    {"proc/4242/comm", "qemu-system-x86\n"},
    {"proc/4242/cmdline", std::string_view("qemu\0-name\0guest=web1\0", 22)},
    {"proc/4242/cgroup", "0::/machine.slice/machine-qemu\\x2d3\\x2dweb1.scope\n"},
    {"proc/4242/task/4243/comm", "CPU 0/KVM\n"},
    {"proc/4242/task/4243/stat",
     "4243 (CPU 0/KVM) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
     "0 0 0 0 0 0\n"},
    {"proc/4242/task/4243/status", "Name:\tCPU 0/KVM\nCpus_allowed_list:\t0-7\n"},
    {"proc/4242/task/4243/cgroup", "0::/machine.slice\n"},
    {"proc/4300/comm", "python3\n"},
    {"proc/4300/cmdline", std::string_view("python3\0/usr/bin/kvm_stat\0", 26)},
    {"proc/4300/fdinfo/3", "link_type:\traw_tracepoint\ntp_name:\tkvm_exit\n"},
    {"run/libvirt/qemu/web1.pid", "4242\n"},
    {"etc/modprobe.d/x.conf", "options kvm_intel ple_window=8192\n"},
    {"var/lib/plectl/params.journal.json", ""},
    {"sys/module/kvm/parameters/halt_poll_ns", "200000\n"},
    {"sys/module/kvm_intel/initstate", "live\n"},
    {"sys/module/kvm_intel/refcnt", "5\n"},
    {"sys/module/kvm_intel/parameters/ple_gap", "128\n"},
    {"sys/module/kvm_intel/parameters/ple_window", "4096\n"},
    {"sys/module/kvm_intel/parameters/ple_window_grow", "2\n"},
    {"sys/module/kvm_intel/parameters/ple_window_shrink", "0\n"},
    {"sys/module/kvm_intel/parameters/ple_window_max", "4294967295\n"},
    {"sys/module/kvm_intel/parameters/nested", "Y\n"},
    {"sys/kernel/security/lockdown", "[none] integrity confidentiality\n"},
    {"sys/kernel/tracing/events/kvm/kvm_exit/id", "1234\n"},
    {"sys/fs/cgroup/machine.slice/cpu.max", "max 100000\n"},
    {"sys/devices/system/cpu/smt/active", "0\n"},
    {"sys/devices/system/cpu/isolated", "\n"},
    {"sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI\n"},
    {"sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"},
    {"sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "performance\n"},
    {"sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "3900000\n"},
    {"sys/devices/system/cpu/cpufreq/policy0/scaling_min_freq", "800000\n"},
    {"sys/devices/system/cpu/cpufreq/policy0/base_frequency", "3400000\n"},
    {"sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
    {"lib/modules/6.1.0-56-cloud-amd64/modules.builtin", "kernel/fs/ext4.ko\n"},
    {"proc/modules", "kvm_intel 344064 5 - Live 0x0000000000000000\n"},
    {"proc/sys/kernel/modules_disabled", "0\n"},
    {"etc/sysctl.d/99-x.conf", "kernel.modules_disabled = 1\n"},
    {"sys/module/kvm_intel/taint", "E\n"},
    {"sys/module/module/parameters/sig_enforce", "N\n"},
    {"proc/self/mountinfo",
     "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
     "31 24 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"},
    {"sys/fs/cgroup/cpu/machine/cpu.cfs_quota_us", "50000\n"},
    {"proc/4242/status", "Name:\tqemu\nNSpid:\t4242\n"},
    {"proc/4242/stat", "4242 (qemu) S 1\n"},
    {"proc/stat", "cpu 1 2\nbtime 1000000000\n"},
    {"sys/kernel/debug/kvm/4242-11/vcpu0/pid", "4243\n"},
};

void Write(const fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

// An ordinary host in memory, if there is a file system there; removed at the end.
class Host {
 public:
  Host() {
    const fs::path parent =
        fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string name = (parent / "plectl-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    for (const HostFile& file : kFiles) {
      fs::create_directories((folder_ / file.path).parent_path());
      Write(folder_ / file.path, file.text);
    }
    Link("proc/4242/fd/3", "anon_inode:kvm-vm");
    Link("proc/4300/fd/3", "anon_inode:bpf_link");
    Link("proc/4300/fd/4", "anon_inode:[perf_event]");
    Watch();
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  [[nodiscard]] const fs::path& folder() const { return folder_; }
  // Whether anything was changed since the last call.
  [[nodiscard]] bool IsChanged() const {
    std::array<char, 65536> events{};
    bool changed = false;
    while (::read(watch_.get(), events.data(), events.size()) > 0) changed = true;
    return changed;
  }

 private:
  void Link(std::string_view path, std::string_view target) const {
    fs::create_directories((folder_ / path).parent_path());
    fs::create_symlink(target, folder_ / path);
  }
  // Far cheaper than reading the whole tree each time.
  void Watch() const {
    constexpr uint32_t kChanges =
        IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (entry.is_symlink() || !entry.is_directory()) continue;
      if (::inotify_add_watch(watch_.get(), entry.path().c_str(), kChanges) < 0) std::abort();
    }
    if (::inotify_add_watch(watch_.get(), folder_.c_str(), kChanges) < 0) std::abort();
  }
  fs::path folder_;
  plectl::Fd watch_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
};

void CheckText(const std::string& text) {
  constexpr size_t kBytesMax = 40'000;
  if (text.size() > kBytesMax || plectl::Printable(text) != text) std::abort();
}

void Look(const HostRoot& root) {
  using namespace plectl::host;  // NOLINT(google-build-using-namespace)
  for (const CheckResult& check : Diagnose(root).checks) {
    if (check.id.empty() || check.seen.empty()) std::abort();
    for (const std::string& text : {check.seen, check.why, check.fix}) CheckText(text);
  }
  const auto kvm = KvmFileHolders(root).value();
  for (const auto& holders : {kvm, TracingHolders(root).value()}) {
    for (const Holder& holder : holders) CheckText(HolderText(holder));
  }
  CheckText(HowToEnd(kvm));
  if (Fingerprint(root).dump().empty()) std::abort();  // it throws when a text is not UTF-8
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Host host;
  std::array<bool, std::size(kFiles)> is_changed{};
  for (const std::string_view record :
       plectl::Split({reinterpret_cast<const char*>(data), size}, '\x1e')) {
    const size_t file = record.empty() ? std::size(kFiles) : static_cast<size_t>(record[0] - '0');
    if (file >= std::size(kFiles)) continue;
    Write(host.folder() / kFiles[file].path, record.substr(1));
    is_changed[file] = true;
  }
  static_cast<void>(host.IsChanged());  // by us
  Look(HostRoot(host.folder()));
  if (host.IsChanged()) std::abort();
  for (size_t i = 0; i < std::size(kFiles); ++i) {
    if (is_changed[i]) Write(host.folder() / kFiles[i].path, kFiles[i].text);
  }
  return 0;
}
