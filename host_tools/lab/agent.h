// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "host_tools/base/child.h"
#include "host_tools/base/host_root.h"
#include "host_tools/base/result.h"
#include "host_tools/lab/parallel_port.h"

namespace plectl::lab {

// Runs the job described in `job_file` inside the lab: sends hello, then the job's output and the
// lines of the followed file as they appear, then exit. A job that cannot be started ends with exit
// code 3 and the reason on its standard error. The agent sleeps while nothing appears, and runs
// before everything else when something does (SCHED_FIFO where allowed): so a record has left the
// lab before the next trial begins, and no trial shares its CPU with the agent.
//
// In a lab that was booted for a snapshot the job comes later, through memory (job_memory.h): then
// the agent first waits for it and puts its files in place.
using JobStarter = std::function<Result<Child>(const ChildOptions& options)>;
Status RunAgent(const HostRoot& root, const std::filesystem::path& job_file, ByteSink& sink,
                const JobStarter& start = Child::Start);

// Waits for a job in memory and writes its files below `root`.
Status ReceiveJob(const HostRoot& root, ByteSink& sink);

}  // namespace plectl::lab
