// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>

#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/experiment/trial_record.h"
#include "host_tools/guests/guest_runner.h"
#include "host_tools/guests/vmm_runner.h"
#include "host_tools/host/observers.h"

namespace plectl::bench {

// A host whose exits are counted and whose module parameters stay as they are.
class GuestHost {
 public:
  // Environment error when there is no KVM or nothing that could count its exits.
  static Result<GuestHost> Open(const guests::PayloadImage& payloads);

  // One fresh guest, as a trial: its results, and counts on which the observer and KVM's own
  // statistic agree. Inconclusive when they do not, when the guest misbehaves, or when somebody
  // changed the parameters since Open().
  Result<experiment::TrialRecord> Run(const guests::GuestRequest& request);

  // What figures of this host depend on, for the context of the results.
  [[nodiscard]] std::map<std::string, std::string> Context() const;

 private:
  GuestHost(HostRoot root, host::KvmModule module, host::ParamValues params,
            host::ObserverPair observers, guests::VmmRunner runner)
      : root_(std::move(root)),
        module_(module),
        params_(std::move(params)),
        observers_(std::move(observers)),
        runner_(std::move(runner)) {}

  HostRoot root_;
  host::KvmModule module_;
  host::ParamValues params_;
  host::ObserverPair observers_;
  guests::VmmRunner runner_;
};

}  // namespace plectl::bench
