// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/text_format.h"

#include <prometheus/text_serializer.h>

#include "host_tools/metrics/escape.h"

namespace plectl::metrics {

void EscapeForText(std::vector<prometheus::MetricFamily>& families) {
  for (prometheus::MetricFamily& family : families) {
    family.help = EscapeHelp(family.help);
    for (prometheus::ClientMetric& sample : family.metric) {
      for (prometheus::ClientMetric::Label& label : sample.label) {
        if (!IsUtf8(label.value)) label.value = ToUtf8(label.value);
      }
    }
  }
}

std::string TextFormat(std::vector<prometheus::MetricFamily> families) {
  EscapeForText(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace plectl::metrics
