// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::lab {
namespace {

LabJob Job() {
  LabJob job;
  job.argv = {"plectl", "sweep", "a \"b\"\n\xc3\xa9"};
  job.environment = {{"A", "1"}};
  job.follow_file = "/job/run/run.jsonl";
  return job;
}

TEST(LabJob, ComesBackFromJson) {
  const auto json = JobToJson(Job());
  ASSERT_TRUE(json);
  const auto job = JobFromJson(*json);
  ASSERT_TRUE(job) << job.error().Text();
  EXPECT_EQ(job->argv, Job().argv);
  EXPECT_EQ(job->environment, Job().environment);
  EXPECT_EQ(job->follow_file, Job().follow_file);
}

TEST(LabJob, TextThatIsNotUtf8IsRefused) {
  LabJob job = Job();
  job.argv.emplace_back("\xff");
  const auto json = JobToJson(job);
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().kind, ErrorKind::kBadInput);
}

TEST(LabJob, BadJsonIsAnError) {
  for (const char* text : {"", "{", "[]", "{\"argv\": 1}", "{\"argv\": [\"a\"]}",
                           R"({"argv": [], "environment": {}, "follow_file": ""})"}) {
    EXPECT_FALSE(JobFromJson(text)) << text;
  }
}

TEST(LabJob, NeedsACommand) {
  EXPECT_FALSE(CheckLabJob({}));
  LabJob job;
  job.argv = {""};
  EXPECT_FALSE(CheckLabJob(job));
  job.argv = {"true"};
  EXPECT_TRUE(CheckLabJob(job));
}

TEST(LabJob, FilesLieAtPlainAbsolutePaths) {
  for (const char* path : {"/job/plan.yaml", "/run/x", "/a..b/c"}) {
    LabJob job = Job();
    job.files = {{path, ""}};
    EXPECT_TRUE(CheckLabJob(job)) << path;
  }
  for (const char* path : {"", "plan.yaml", "/", "/a/", "/a//b", "/a/../b", "/./a", "/proc/x",
                           "/sys/module/x", "/dev/null", "/job/job.json"}) {
    LabJob job = Job();
    job.files = {{path, ""}};
    const Status status = CheckLabJob(job);
    ASSERT_FALSE(status) << path;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
  }
}

TEST(LabJob, TheFollowedFileToo) {
  LabJob job = Job();
  job.follow_file = "run.jsonl";
  EXPECT_FALSE(CheckLabJob(job));
}

}  // namespace
}  // namespace plectl::lab
