// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/textfile.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "host_tools/base/file.h"

namespace plectl::metrics {
namespace {

constexpr unsigned kMode = 0644;

// The process' umask, as long as it lives.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

}  // namespace

Status CheckTextfilePath(const std::filesystem::path& path) {
  if (path.extension() == ".prom" && !path.stem().empty()) return OkStatus();
  std::error_code error;
  const bool is_folder = !path.has_filename() || std::filesystem::is_directory(path, error);
  const std::string usable = is_folder ? (path / "plectl.prom").string() : path.string() + ".prom";
  return BadInput(
      fmt::format("node_exporter ignores {}: its name does not end with .prom", path.string()),
      fmt::format("use {}", usable));
}

Status WriteTextfile(const std::filesystem::path& path, std::string_view text) {
  PLECTL_RETURN_IF_ERROR(CheckTextfilePath(path));
  const Umask umask(S_IWGRP | S_IWOTH);
  return WriteFileAtomically(path, text, kMode);
}

}  // namespace plectl::metrics
