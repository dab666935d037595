// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/experiment/trial_record.h"
#include "host_tools/lab/engine_facts.h"
#include "host_tools/lab/kernel_package.h"
#include "host_tools/lab/lab.h"

namespace plectl::lab {

// Finds out what an emulator can do by running plectl in it: a loop of PAUSEs at the gaps around
// its length and with several windows, and a loop of nops with interrupts off. Everything is done
// twice, in labs that started alike, and must give the same bytes.

// The lane that a lab of these options is in.
EngineLane LaneOf(const LabOptions& options);

// The facts of the engine in this lane: as found before, or found out now and kept. Errors are
// RunInLab()'s, and Inconclusive when the probes themselves cannot be run.
Result<EngineFacts> EnsureEngineFacts(const LabOptions& options, LabObserver& observer);
// Finds them out now, whatever is known.
Result<EngineFacts> ProbeEngine(const LabOptions& options, LabObserver& observer);

// What the trials of the probes say; `repeatable` stays false. Inconclusive error when trials are
// missing.
Result<EngineFacts> FactsFromTrials(LabCpu cpu, std::span<const experiment::TrialRecord> trials);

// How the lab of a run log started, as its first manifest says: "snapshot" or "cold"; empty if it
// does not.
std::string StartOf(std::string_view log);

}  // namespace plectl::lab
