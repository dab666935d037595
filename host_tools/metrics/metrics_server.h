// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/collectable.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "host_tools/base/result.h"
#include "host_tools/metrics/listen_address.h"

namespace plectl::metrics {

struct ServerOptions {
  ListenAddress address;
  std::filesystem::path tls_certificate;  // PEM: key and certificates; empty: plain HTTP
  std::filesystem::path basic_auth_file;  // USER:PASSWORD; empty: everybody may scrape
  // Connections that are served at once, and that may wait for it. Who sends or reads nothing for
  // `request_timeout` is cut off: so many slow clients keep others waiting for so long, and no
  // more.
  uint32_t threads = 128;
  uint32_t connections_queued_max = 256;
  std::chrono::milliseconds request_timeout{1000};
  int nice = 0;  // of its threads, for those who measure meanwhile
};

// Serves the families of a collectable at /metrics, in threads of its own, until it is destroyed.
// Besides them it serves prometheus-cpp's own `exposer_...`.
class MetricsServer {
 public:
  // Checks files and address first. BadInput: files that are not as they must be; Environment: the
  // port is in use or not allowed. `source` is asked in the server's threads, one scrape at a time
  // or several at once, and must never wait for the measurement.
  static Result<std::unique_ptr<MetricsServer>> Start(
      const ServerOptions& options, std::shared_ptr<const prometheus::Collectable> source);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  // With the port that was taken when 0 was asked for.
  [[nodiscard]] const ListenAddress& address() const { return address_; }
  // "http://127.0.0.1:9464/metrics".
  [[nodiscard]] std::string Url() const;

 private:
  struct Parts;
  MetricsServer(ListenAddress address, bool tls, std::unique_ptr<Parts> parts);

  ListenAddress address_;
  bool tls_ = false;
  std::unique_ptr<Parts> parts_;
};

}  // namespace plectl::metrics
