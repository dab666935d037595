// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::lab {

// What to run in the lab, as root, in the directory /job.
struct LabJob {
  std::vector<std::string> argv;             // looked up in the lab's PATH; "plectl" is this plectl
  std::map<std::string, std::string> files;  // absolute path in the lab -> content; executable
  std::map<std::string, std::string> environment;  // added to the lab's
  // A file in the lab, absolute; each line that the job appends to it is sent out at once. Lines
  // that it holds from the beginning are not. Empty: none.
  std::string follow_file;
  uint64_t delay_tsc_cycles = 0;  // before the hello
};

// Where the lab finds its job.
inline constexpr std::string_view kJobDirectory = "/job";
inline constexpr std::string_view kJobFile = "/job/job.json";
// Where it finds what it is (lab_facts.h); host/fingerprint.cc reads it.
inline constexpr std::string_view kLabFactsFile = "/run/plectl-lab.json";

// BadInput for an empty argv, a path that is not absolute and plain ("/a/b", no "..") or that lies
// where the lab mounts something (/proc, /sys, /dev).
Status CheckLabJob(const LabJob& job);

// Its command for a message: "plectl sweep /job/plan.yaml", shortened.
std::string JobText(const LabJob& job);

// The job but its files, which lie at their paths already: the content of kJobFile.
// BadInput for text that is not UTF-8.
Result<std::string> JobToJson(const LabJob& job);
Result<LabJob> JobFromJson(std::string_view text);

}  // namespace plectl::lab
