// SPDX-License-Identifier: Apache-2.0
// Serves a few series until its standard input ends. Usage: plectl_serve_metrics ADDR:PORT
// [TLS_CERTIFICATE [BASIC_AUTH_FILE]]; "-" for none.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string_view>

#include "host_tools/metrics/metrics_builder.h"
#include "host_tools/metrics/metrics_server.h"
#include "host_tools/metrics/snapshot.h"

namespace plectl::metrics {
namespace {

Result<ServerOptions> OptionsOf(int argc, const char* const* argv) {
  ServerOptions options;
  PLECTL_ASSIGN_OR_RETURN(options.address, ParseListenAddress(argc > 1 ? argv[1] : ""));
  if (argc > 2 && argv[2] != std::string_view("-")) options.tls_certificate = argv[2];
  if (argc > 3) options.basic_auth_file = argv[3];
  return options;
}

std::shared_ptr<Snapshot> SomeFamilies() {
  constexpr int kSeries = 200;
  MetricsBuilder builder;
  auto& exits = builder.Counter("plectl_vm_exits_total", "VM exits");
  for (int i = 0; i < kSeries; ++i) AddSample(exits, {{"vm", fmt::format("vm {}", i)}}, i);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->Publish(builder.Take());
  return snapshot;
}

Status Serve(int argc, const char* const* argv) {
  PLECTL_ASSIGN_OR_RETURN(const ServerOptions options, OptionsOf(argc, argv));
  PLECTL_ASSIGN_OR_RETURN(const std::unique_ptr<MetricsServer> server,
                          MetricsServer::Start(options, SomeFamilies()));
  fmt::print("{}\n", server->Url());
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return OkStatus();
}

}  // namespace
}  // namespace plectl::metrics

int main(int argc, char** argv) {
  const plectl::Status served = plectl::metrics::Serve(argc, argv);
  if (served) return 0;
  fmt::print(stderr, "{}\n", served.error().Text());
  return static_cast<int>(served.error().kind);
}
