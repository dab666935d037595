// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/hello.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host_tools/base/text.h"
#include "host_tools/lab/console.h"

namespace plectl::lab {
namespace {

// The value of the first line "model name : VALUE"; "unknown" without one.
std::string CpuModel(std::string_view cpuinfo) {
  for (const std::string_view line : Split(cpuinfo, '\n')) {
    const size_t colon = line.find(':');
    if (!line.starts_with("model name") || colon == std::string_view::npos) continue;
    return std::string(Trim(line.substr(colon + 1)));
  }
  return "unknown";
}

Status ReadModule(const HostRoot& root, LabHello& hello) {
  for (const std::string_view module : {"kvm_intel", "kvm_amd"}) {
    const std::string directory = fmt::format("/sys/module/{}/parameters", module);
    if (!root.Exists(directory)) continue;
    hello.kvm_module = module;
    PLECTL_ASSIGN_OR_RETURN(const std::vector<std::string> names, root.List(directory));
    for (const std::string& name : names) {
      PLECTL_ASSIGN_OR_RETURN(hello.parameters[name], root.ReadTrimmed(directory + "/" + name));
    }
  }
  return OkStatus();
}

void MakePrintable(LabHello& hello) {
  for (std::string* text : {&hello.kernel_release, &hello.cpu_model, &hello.kvm_module}) {
    *text = Printable(*text);
  }
  std::map<std::string, std::string> parameters;
  for (const auto& [name, value] : hello.parameters) {
    parameters.insert_or_assign(Printable(name), Printable(value));
  }
  hello.parameters = std::move(parameters);
}

}  // namespace

Result<LabHello> DescribeMachine(const HostRoot& root) {
  LabHello hello;
  PLECTL_ASSIGN_OR_RETURN(hello.kernel_release, root.ReadTrimmed("/proc/sys/kernel/osrelease"));
  PLECTL_ASSIGN_OR_RETURN(const std::string cpuinfo, root.Read("/proc/cpuinfo"));
  hello.cpu_model = CpuModel(cpuinfo);
  PLECTL_RETURN_IF_ERROR(ReadModule(root, hello));
  return hello;
}

std::string HelloToJson(const LabHello& hello) {
  const nlohmann::json json = {{"kernel_release", hello.kernel_release},
                               {"cpu_model", hello.cpu_model},
                               {"kvm_module", hello.kvm_module},
                               {"parameters", hello.parameters}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<LabHello> HelloFromJson(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    LabHello hello;
    json.at("kernel_release").get_to(hello.kernel_release);
    json.at("cpu_model").get_to(hello.cpu_model);
    json.at("kvm_module").get_to(hello.kvm_module);
    json.at("parameters").get_to(hello.parameters);
    MakePrintable(hello);
    return hello;
  } catch (const nlohmann::json::exception& exception) {
    return Inconclusive(
        fmt::format("the lab's greeting is not readable: {}", Printable(exception.what())));
  }
}

}  // namespace plectl::lab
