// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/cli/command.h"
#include "host_tools/cli/lab_request.h"
#include "host_tools/experiment/calibrator.h"
#include "host_tools/guests/payload_image.h"
#include "host_tools/host/module_params.h"
#include "host_tools/lab/lab_config.h"

namespace CLI {
class App;
}

namespace plectl::cli {

// What `plectl calibrate` and `plectl selftest` have in common: both measure a CPU by guests of
// plectl's own, on this host or in the lab.

struct MeasurePlace {
  bool in_lab = false;
  lab::LabOptions lab;
};

// --host, --cpu, --format, --relax-tsc-cycles, --wait and the lab's options. `request` and `place`
// must live as long as the command.
void AddMeasureOptions(CLI::App& command, MeasureRequest& request, MeasurePlace& place);

// Takes the parameters of this host's module; `verb` begins each line about what is done next.
Result<std::unique_ptr<experiment::Calibrator>> MakeCalibrator(const CommandContext& context,
                                                               host::KvmModule module,
                                                               const guests::PayloadImage& payloads,
                                                               const MeasureRequest& request,
                                                               std::string_view verb);

// `request` as it is to be inside the lab of `place`.
Result<MeasureRequest> MeasureRequestInLab(const MeasureRequest& request,
                                           const MeasurePlace& place);

// What the lab runs: a hidden command, which reads its options from a file.
struct LabCommand {
  std::string_view name;
  std::string_view request_file;
  std::string request;
};
// Its exit code.
Result<int> RunLabCommand(const MeasurePlace& place, LabCommand command);

}  // namespace plectl::cli
