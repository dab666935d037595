// SPDX-License-Identifier: Apache-2.0
// What a scrape of `plectl monitor` costs with many VMs that come and go, on a made-up host: time,
// bytes, memory. Usage: monitor_load [--vms N] [--vcpus N] [--scrapes N] [--churn N] [--folder
// DIR]. Exit code 1 when its memory grows with the number of scrapes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "bench/scrape_client.h"
#include "host_tools/base/clock.h"
#include "host_tools/base/file.h"
#include "host_tools/base/text.h"
#include "host_tools/metrics/metrics_server.h"
#include "host_tools/metrics/text_format.h"
#include "host_tools/monitor/monitor.h"
#include "tests/unit/monitor/fake_vms.h"

namespace plectl::bench {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr pid_t kFirstPid = 10000;
constexpr double kGrowthMaxMiB = 4;
constexpr uint32_t kHttpEvery = 10;  // every so many scrapes one over HTTP too

struct Load {
  uint32_t vms = 1000;
  uint32_t vcpus = 16;
  uint32_t scrapes = 1000;
  uint32_t churn = 5;  // VMs that end, and as many that begin, before each scrape
  std::string folder = "/dev/shm";
};

double MemoryMiB(std::string_view name) {
  const std::string status = ReadFile("/proc/self/status").value_or("");
  const auto value = LineAfter(status, name);
  return value ? std::stod(std::string(*value)) / 1024.0 : 0;
}

// Of this thread: other load on the machine does not count.
double CpuMs() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Figures {
  std::vector<double> collect_ms;  // CPU time
  std::vector<double> serialize_ms;
  std::vector<double> all_ms;   // of the clock on the wall
  std::vector<double> http_ms;  // the same, of a whole scrape by a client, compressed
  size_t http_bytes = 0;
  size_t bytes = 0;
  double rss_before_mib = 0;  // before the first VM was seen
  double peak_half_mib = 0;
  double peak_mib = 0;
};

class Host {
 public:
  explicit Host(const Load& load) : load_(load), vms_(load.folder) {
    for (uint32_t i = 0; i < load.vms; ++i) StartNext();
  }

  // The oldest VMs make room for new ones, all others count on.
  void Churn() {
    for (uint32_t i = 0; i < load_.churn; ++i) {
      vms_.End(oldest_);
      oldest_ += Stride();
      StartNext();
    }
    for (auto& [key, thread] : vms_.threads) {
      thread.pauses += 1 + thread.vcpu;
      thread.others += 1000;
      thread.last.run_delay_ns += 12345678;
      thread.last.user_ns += 987654321;
      thread.last.guest_ns += 987000000;
    }
  }
  monitor::FakeVms& vms() { return vms_; }

 private:
  [[nodiscard]] pid_t Stride() const { return static_cast<pid_t>(load_.vcpus + 1); }
  void StartNext() {
    vms_.Start(next_, fmt::format("instance-{:08x}", next_), load_.vcpus,
               1000 + static_cast<uint64_t>(next_));
    next_ += Stride();
  }

  Load load_;
  monitor::FakeVms vms_;
  pid_t oldest_ = kFirstPid;
  pid_t next_ = kFirstPid;
};

Status MeasureHttp(uint16_t port, Figures& figures) {
  const Stopwatch watch;
  PLECTL_ASSIGN_OR_RETURN(figures.http_bytes, ScrapeOverHttp(port));
  figures.http_ms.push_back(static_cast<double>(watch.ElapsedNs()) / 1e6);
  return OkStatus();
}

void MeasureScrape(monitor::Monitor& monitor, Figures& figures) {
  const Stopwatch watch;
  const double start_ms = CpuMs();
  auto families = monitor.Scrape();
  const double collected_ms = CpuMs();
  figures.bytes = metrics::TextFormat(std::move(families)).size();
  figures.collect_ms.push_back(collected_ms - start_ms);
  figures.serialize_ms.push_back(CpuMs() - collected_ms);
  figures.all_ms.push_back(static_cast<double>(watch.ElapsedNs()) / 1e6);
}

Result<Figures> Measure(const Load& load) {
  Host host(load);
  monitor::MonitorOptions options;
  options.sampler.vms_max = load.vms;
  options.sampler.vcpus_max = size_t{load.vms} * load.vcpus;
  options.probe_statistics = monitor::ProbeStatistics::kOff;
  Figures figures;
  figures.rss_before_mib = MemoryMiB("VmRSS:");
  const auto monitor =
      std::make_shared<monitor::Monitor>(host.vms().root(), options, host.vms().Attacher());
  PLECTL_RETURN_IF_ERROR(monitor->Attach());
  metrics::ServerOptions endpoint;
  endpoint.address.port = 0;
  PLECTL_ASSIGN_OR_RETURN(const auto server,
                          metrics::MetricsServer::Start(
                              endpoint, std::make_shared<monitor::MonitorCollectable>(monitor)));
  for (uint32_t i = 0; i < load.scrapes; ++i) {
    host.Churn();
    MeasureScrape(*monitor, figures);
    if (i % kHttpEvery == 0) {
      PLECTL_RETURN_IF_ERROR(MeasureHttp(server->address().port, figures));
    }
    if (i == load.scrapes / 2) figures.peak_half_mib = MemoryMiB("VmHWM:");
  }
  figures.peak_mib = MemoryMiB("VmHWM:");
  return figures;
}

std::string Spread(std::vector<double> times) {
  std::ranges::sort(times);
  return fmt::format("median {:.1f} ms, 99 % {:.1f} ms, longest {:.1f} ms", times[times.size() / 2],
                     times[times.size() * 99 / 100], times.back());
}

int Report(const Load& load, const Figures& figures) {
  fmt::print("{} VMs x {} vCPUs, {} scrapes, {} VMs replaced before each\n", load.vms, load.vcpus,
             load.scrapes, load.churn);
  fmt::print("collect    CPU time {}\n", Spread(figures.collect_ms));
  fmt::print("serialize  CPU time {}\n", Spread(figures.serialize_ms));
  fmt::print("scrape     wall time {}\n", Spread(figures.all_ms));
  fmt::print("over HTTP  wall time {}\n", Spread(figures.http_ms));
  fmt::print("size       {:.1f} MiB, {:.0f} bytes per VM; compressed {:.1f} MiB\n",
             static_cast<double>(figures.bytes) / kMiB,
             static_cast<double>(figures.bytes) / load.vms,
             static_cast<double>(figures.http_bytes) / kMiB);
  fmt::print(
      "memory     {:.1f} MiB without VMs; at most {:.1f} until half-way, {:.1f} until the end; "
      "{:.1f} KiB per VM\n",
      figures.rss_before_mib, figures.peak_half_mib, figures.peak_mib,
      (figures.peak_mib - figures.rss_before_mib) * 1024.0 / load.vms);
  const bool grows = figures.peak_mib > figures.peak_half_mib + kGrowthMaxMiB;
  if (grows) fmt::print("memory GROWS\n");
  return grows ? 1 : 0;
}

}  // namespace
}  // namespace plectl::bench

int main(int argc, char** argv) {
  try {
    plectl::bench::Load load;
    CLI::App app("What a scrape of plectl monitor costs with many VMs");
    app.add_option("--vms", load.vms)->check(CLI::Range(1, 100000));
    app.add_option("--vcpus", load.vcpus)->check(CLI::Range(1, 1024));
    app.add_option("--scrapes", load.scrapes)->check(CLI::Range(2, 1000000));
    app.add_option("--churn", load.churn);
    app.add_option("--folder", load.folder, "Where the host's files are made; best in memory");
    CLI11_PARSE(app, argc, argv);
    const plectl::Result<plectl::bench::Figures> figures = plectl::bench::Measure(load);
    if (figures) return plectl::bench::Report(load, *figures);
    fmt::print(stderr, "monitor_load: {}\n", figures.error().Text());
    return static_cast<int>(figures.error().kind);
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}
