// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "host_tools/host/module_params.h"
#include "host_tools/host/param_session.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {

// A session on a host of its own, whose module's loads can be looked at.
class SessionFixture : public testing::Test {
 protected:
  ParamSession Begin() {
    auto loader = std::make_unique<FakeLoader>(host_, KvmModule::kIntel);
    loader_ = loader.get();
    return ParamSession::Begin(host_.root(), KvmModule::kIntel, std::move(loader)).value();
  }
  [[nodiscard]] ParamValues Current() const {
    return ReadParams(host_.root(), KvmModule::kIntel).value();
  }

  FakeHost host_{"intel_ple"};
  const ParamValues originals_ = Current();
  FakeLoader* loader_ = nullptr;
};

}  // namespace plectl::host
