// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/metrics_server.h"

#include <fmt/format.h>
#include <malloc.h>
#include <prometheus/exposer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "host_tools/base/fd.h"
#include "host_tools/metrics/basic_auth.h"
#include "host_tools/metrics/listener.h"
#include "host_tools/metrics/text_format.h"
#include "host_tools/metrics/tls_certificate.h"
#include "host_tools/metrics/tls_libraries.h"

namespace plectl::metrics {
namespace {

// prometheus-cpp's serializer writes help texts as they are.
class Escaped final : public prometheus::Collectable {
 public:
  explicit Escaped(std::shared_ptr<const prometheus::Collectable> source)
      : source_(std::move(source)) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> families = source_->Collect();
    EscapeForText(families);
    return families;
  }

 private:
  std::shared_ptr<const prometheus::Collectable> source_;
};

// Where civetweb listens itself: it knows no IPv6 (listener.h).
ListenAddress CivetwebAddress(const ListenAddress& address) {
  return address.is_ipv6() ? ListenAddress() : address;
}

std::vector<std::string> CivetwebOptions(const ServerOptions& options) {
  const bool tls = !options.tls_certificate.empty();
  std::map<std::string, std::string> values = {
      {"listening_ports", CivetwebAddress(options.address).Text() + (tls ? "s" : "")},
      {"num_threads", std::to_string(options.threads)},
      {"connection_queue", std::to_string(options.connections_queued_max)},
      {"request_timeout_ms", std::to_string(options.request_timeout.count())},
      {"enable_keep_alive", "no"},  // a connection that is kept open would hold a thread
      {"max_request_size", "8192"},
      {"enable_auth_domain_check", "no"},
  };
  if (tls) {
    values.emplace("ssl_certificate", options.tls_certificate.string());
    values.emplace("ssl_protocol_version", "4");  // TLS 1.2 and later
  }
  std::vector<std::string> words;
  for (const auto& [name, value] : values) words.insert(words.end(), {name, value});
  return words;
}

void AskFor(Credentials credentials, prometheus::Exposer& exposer) {
  exposer.RegisterAuth(
      [known = std::move(credentials)](const std::string& user, const std::string& password) {
        return known.Match(user, password);
      },
      "plectl");
}

// Calls `start` in a thread from which the server's threads inherit what they shall be: nicer than
// others, and no one to whom a signal is delivered. An exception is an Environment error.
template <class Function>
Status InBackground(int nice, Function start) {
  Status status = OkStatus();
  std::thread([&] {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    // Of this thread only; at worst they are as nice as others.
    if (nice != 0) ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);
    try {
      start();
    } catch (const std::exception& error) {
      status = Environment(fmt::format("start civetweb to serve metrics: {}", error.what()),
                           "choose another address or port");
    }
  }).join();
  return status;
}

// Each of the server's threads would get a heap of its own from the C library, and that keep what
// its largest scrape took: with 16 of them and 1000 VMs that was 800 MiB, with one heap it is 70.
void ShareOneHeap() { ::mallopt(M_ARENA_MAX, 1); }

}  // namespace

struct MetricsServer::Parts {
  std::shared_ptr<Escaped> source;
  std::unique_ptr<prometheus::Exposer> exposer;  // the first to go: its threads ask the source
};

MetricsServer::MetricsServer(ListenAddress address, bool tls, std::unique_ptr<Parts> parts)
    : address_(std::move(address)), tls_(tls), parts_(std::move(parts)) {}

MetricsServer::~MetricsServer() = default;

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(
    const ServerOptions& options, std::shared_ptr<const prometheus::Collectable> source) {
  const bool tls = !options.tls_certificate.empty();
  std::optional<Credentials> credentials;
  if (!options.basic_auth_file.empty()) {
    PLECTL_ASSIGN_OR_RETURN(credentials, LoadCredentials(options.basic_auth_file));
  }
  if (tls) PLECTL_RETURN_IF_ERROR(CheckTlsCertificate(options.tls_certificate));
  PLECTL_ASSIGN_OR_RETURN(Fd listener, Listen(options.address));
  if (!options.address.is_ipv6()) listener.Reset();  // it was to see whether one can
  if (tls) PLECTL_RETURN_IF_ERROR(LoadTlsLibraries());
  ShareOneHeap();
  auto parts = std::make_unique<Parts>();
  parts->source = std::make_shared<Escaped>(std::move(source));
  ListenAddress address = options.address;
  PLECTL_RETURN_IF_ERROR(InBackground(options.nice, [&] {
    parts->exposer = std::make_unique<prometheus::Exposer>(CivetwebOptions(options));
    if (credentials) AskFor(*std::move(credentials), *parts->exposer);
    parts->exposer->RegisterCollectable(parts->source);
    address.port = static_cast<uint16_t>(parts->exposer->GetListeningPorts().at(0));
  }));
  if (listener.valid()) {
    PLECTL_RETURN_IF_ERROR(TakePlaceOf(address.port, listener));
    PLECTL_ASSIGN_OR_RETURN(address.port, PortOf(listener));
  }
  return std::unique_ptr<MetricsServer>(
      new MetricsServer(std::move(address), tls, std::move(parts)));
}

std::string MetricsServer::Url() const {
  return fmt::format("{}://{}/metrics", tls_ ? "https" : "http", address_.Text());
}

}  // namespace plectl::metrics
