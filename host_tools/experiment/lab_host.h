// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace plectl::experiment {

// Readers of "lab" in a host's fingerprint (docs/run_format.md): null on a real host, else a text
// ("bochs-2.7,CPU,ips=N,...") or an object ("engine", "cpu", "profile", "note", ...). Run logs come
// from outside, so nothing is taken for granted about what either holds.

// Whether the fingerprint says that it is the lab's.
bool IsLab(const nlohmann::json& host);

// The lab without its seed, which is all that replicates of one plan may differ in: the words of
// the text, or the keys of the object, named `time0`, `seed` or `seed_...`. Null on a real host.
nlohmann::json LabWithoutSeed(const nlohmann::json& host);

// The lab with its seed, but without how that was brought about (the keys `seed_...`): a run may go
// on in a lab that was booted or resumed otherwise. Null on a real host.
nlohmann::json LabWithSeed(const nlohmann::json& host);

// The lab in one line for people, without its seed, that says that it is no silicon: "bochs-2.7,
// CPU, ips=N; an emulator, not silicon". Empty on a real host.
std::string LabText(const nlohmann::json& host);

// What the lab says of itself in its `note`; empty when it says nothing.
std::string LabNote(const nlohmann::json& host);

}  // namespace plectl::experiment
