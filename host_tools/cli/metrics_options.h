// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/metrics/metrics_server.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace plectl::cli {

// The options of a metrics endpoint.
struct MetricsArguments {
  std::optional<std::string> listen;  // nothing: there is no endpoint
  std::filesystem::path tls_certificate;
  std::filesystem::path basic_auth_file;
};

// Adds --metrics-listen, --metrics-tls-certificate and --metrics-basic-auth-file to `command`.
// `arguments` must live as long as the command. Returns --metrics-listen.
CLI::Option* AddMetricsOptions(CLI::App& command, MetricsArguments& arguments);

// What they mean; nothing when there shall be no endpoint. BadInput for an address that is none.
Result<std::optional<metrics::ServerOptions>> ServerOptionsOf(const MetricsArguments& arguments);

}  // namespace plectl::cli
