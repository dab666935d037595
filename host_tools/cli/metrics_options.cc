// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/metrics_options.h"

#include <CLI/CLI.hpp>

#include "host_tools/metrics/listen_address.h"

namespace plectl::cli {

CLI::Option* AddMetricsOptions(CLI::App& command, MetricsArguments& arguments) {
  CLI::Option* listen =
      command
          .add_option(
              "--metrics-listen", arguments.listen,
              "Serve metrics for Prometheus at http://ADDR:PORT/metrics (plectl docs metrics); "
              "without ADDR on 127.0.0.1")
          ->type_name("[ADDR:]PORT");
  command
      .add_option("--metrics-tls-certificate", arguments.tls_certificate,
                  "Serve them by TLS: a PEM file with key and certificates")
      ->type_name("FILE")
      ->needs(listen);
  command
      .add_option("--metrics-basic-auth-file", arguments.basic_auth_file,
                  "Serve them only to who knows USER:PASSWORD, the line of this file")
      ->type_name("FILE")
      ->needs(listen);
  return listen;
}

Result<std::optional<metrics::ServerOptions>> ServerOptionsOf(const MetricsArguments& arguments) {
  if (!arguments.listen) return std::optional<metrics::ServerOptions>();
  metrics::ServerOptions options;
  PLECTL_ASSIGN_OR_RETURN(options.address, metrics::ParseListenAddress(*arguments.listen));
  options.tls_certificate = arguments.tls_certificate;
  options.basic_auth_file = arguments.basic_auth_file;
  return options;
}

}  // namespace plectl::cli
