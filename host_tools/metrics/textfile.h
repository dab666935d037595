// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "host_tools/base/result.h"

namespace plectl::metrics {

// BadInput unless node_exporter's textfile collector would read `path`: its name ends with ".prom".
Status CheckTextfilePath(const std::filesystem::path& path);

// Replaces `path` at once, readable for everybody whatever the umask is: node_exporter runs as
// another user.
Status WriteTextfile(const std::filesystem::path& path, std::string_view text);

}  // namespace plectl::metrics
