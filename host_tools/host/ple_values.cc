// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/ple_values.h"

namespace plectl::host {

ParamValues PleValuesOf(KvmModule module, const ParamValues& all) {
  ParamValues values;
  for (const PleParam& param : PleParams(module)) {
    const auto found = all.find(std::string(param.name));
    if (found != all.end()) values.insert(*found);
  }
  return values;
}

}  // namespace plectl::host
