// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "host_tools/base/result.h"
#include "host_tools/lab/job.h"

namespace plectl::lab {

// A job as bytes for the memory of a resumed lab: magic, length, CRC-32 of what follows, then each
// file as length of path, length of content, path, content (all numbers little-endian). The job's
// description is the file kJobFile.
Result<std::string> EncodeJobImage(const LabJob& job);

// The files of an image that may be followed by anything. Inconclusive error for damage.
Result<std::map<std::string, std::string>> DecodeJobImage(std::string_view bytes);

}  // namespace plectl::lab
