// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/kprobe_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "host_tools/base/text.h"

namespace plectl::host {
namespace {

constexpr size_t kNamedMax = 5;

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words = Split(line, ' ');
  std::erase_if(words, [](std::string_view word) { return word.empty(); });
  return words;
}

// "ffffffffc0a01230  k  handle_pause+0x0  kvm_intel [FTRACE]" (report_probe() in kernel/kprobes.c).
std::vector<std::string> FromKprobeList(std::string_view text, std::string_view module) {
  enum Column : size_t { kFunction = 2, kModule = 3 };
  std::vector<std::string> functions;
  for (const std::string_view line : Split(text, '\n')) {
    const std::vector<std::string_view> words = Words(line);
    if (words.size() <= kModule || words[kModule] != module) continue;
    if (line.find("[GONE]") == std::string_view::npos) functions.emplace_back(words[kFunction]);
  }
  return functions;
}

// "p:kprobes/mine kvm_intel:handle_pause" (Documentation/trace/kprobetrace.rst).
std::vector<std::string> FromKprobeEvents(std::string_view text, std::string_view module) {
  const std::string prefix = fmt::format("{}:", module);
  std::vector<std::string> functions;
  for (const std::string_view line : Split(text, '\n')) {
    const std::vector<std::string_view> words = Words(line);
    if (words.size() < 2 || !words[1].starts_with(prefix)) continue;
    functions.emplace_back(words[1].substr(prefix.size()));
  }
  return functions;
}

}  // namespace

std::vector<std::string> KprobesOn(const HostRoot& root, KvmModule module) {
  const std::string_view name = ModuleName(module);
  if (const auto list = root.Read("/sys/kernel/debug/kprobes/list")) {
    return FromKprobeList(*list, name);
  }
  for (const char* tracefs : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    const auto events = root.Read(fmt::format("{}/kprobe_events", tracefs));
    if (events) return FromKprobeEvents(*events, name);
  }
  return {};
}

Status CheckNoKprobesOn(const HostRoot& root, KvmModule module) {
  std::vector<std::string> functions = KprobesOn(root, module);
  if (functions.empty()) return OkStatus();
  const size_t all = functions.size();
  functions.resize(std::min(all, kNamedMax));
  return Environment(
      fmt::format("unload {}: {} kprobe{} on its functions would die: {}{}", ModuleName(module),
                  all, all == 1 ? "" : "s", fmt::join(functions, ", "),
                  all > functions.size() ? ", ..." : ""),
      "end the program that traces KVM (perf, bpftrace, bcc, a probe in "
      "/sys/kernel/tracing/kprobe_events); sudo cat /sys/kernel/debug/kprobes/list shows them");
}

}  // namespace plectl::host
