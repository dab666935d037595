// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "host_tools/host/doctor.h"
#include "tests/unit/host/fake_host.h"

namespace plectl::host {

// What the doctor says of one check; throws when there is no such check.
CheckResult Look(const HostRoot& root, std::string_view id);
CheckResult Look(const FakeHost& host, std::string_view id);

void ExpectVerdict(const CheckResult& result, Verdict verdict);

// A recorded host with what the recordings leave out, as a well-kept server has it.
class WholeHost : public FakeHost {
 public:
  explicit WholeHost(std::string_view recorded_as);
};

}  // namespace plectl::host
