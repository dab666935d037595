// SPDX-License-Identifier: Apache-2.0
#include "host_tools/analysis/quantity.h"

namespace plectl::analysis {
namespace {

struct Names {
  std::string_view name;
  std::string_view title;
};

constexpr std::array<Names, kQuantities.size()> kNames = {{
    {"throughput_per_s", "throughput/s"},
    {"pause_exits", "PAUSE exits"},
    {"exits_per_acquisition", "exits/acquisition"},
    {"window_updates", "window updates"},
    {"fairness_jain", "fairness"},
    {"wait_p99_tsc_cycles", "p99 wait (TSC cycles)"},
    {"contended_share", "contended"},
    {"overlap_share", "overlap"},
    {"effective_window_tsc_cycles", "effective window (TSC cycles)"},
    {"pause_interval_tsc_cycles", "PAUSE interval (TSC cycles)"},
}};

}  // namespace

std::string_view QuantityName(Quantity quantity) {
  return kNames[static_cast<size_t>(quantity)].name;
}

std::string_view QuantityTitle(Quantity quantity) {
  return kNames[static_cast<size_t>(quantity)].title;
}

}  // namespace plectl::analysis
