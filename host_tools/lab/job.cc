// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace plectl::lab {
namespace {

Status CheckLabPath(const std::string& path) {
  constexpr std::array<std::string_view, 3> kMounts = {"/proc/", "/sys/", "/dev/"};
  const bool plain = path.size() > 1 && path.front() == '/' && path.back() != '/' &&
                     path.find('\0') == std::string::npos &&
                     std::filesystem::path(path).lexically_normal().string() == path;
  const bool mounted =
      std::ranges::any_of(kMounts, [&](std::string_view mount) { return path.starts_with(mount); });
  if (plain && !mounted && path != kJobFile) return OkStatus();
  return BadInput(fmt::format("\"{}\" cannot be a file of the lab's job", path),
                  "give an absolute path without \"..\", outside /proc, /sys and /dev");
}

}  // namespace

Status CheckLabJob(const LabJob& job) {
  if (job.argv.empty() || job.argv.front().empty()) {
    return BadInput("the lab has no command to run", "give the command after --");
  }
  for (const auto& [path, content] : job.files) PLECTL_RETURN_IF_ERROR(CheckLabPath(path));
  if (!job.follow_file.empty()) return CheckLabPath(job.follow_file);
  return OkStatus();
}

std::string JobText(const LabJob& job) {
  constexpr size_t kMax = 200;
  std::string text = fmt::format("{}", fmt::join(job.argv, " "));
  if (text.size() > kMax) text = text.substr(0, kMax) + "...";
  return text;
}

Result<std::string> JobToJson(const LabJob& job) {
  try {
    const nlohmann::json json = {{"argv", job.argv},
                                 {"environment", job.environment},
                                 {"follow_file", job.follow_file},
                                 {"delay_tsc_cycles", job.delay_tsc_cycles}};
    return json.dump(1) + "\n";
  } catch (const nlohmann::json::exception&) {
    return BadInput("the lab's command is not valid UTF-8 text");
  }
}

Result<LabJob> JobFromJson(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    LabJob job;
    json.at("argv").get_to(job.argv);
    json.at("environment").get_to(job.environment);
    json.at("follow_file").get_to(job.follow_file);
    json.at("delay_tsc_cycles").get_to(job.delay_tsc_cycles);
    PLECTL_RETURN_IF_ERROR(CheckLabJob(job));
    return job;
  } catch (const nlohmann::json::exception& exception) {
    return Internal(fmt::format("the lab's job description is not readable: {}", exception.what()));
  }
}

}  // namespace plectl::lab
