// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::lab {
namespace {

LabJob SampleJob() {
  LabJob job;
  job.argv = {"plectl", "--version"};
  job.files = {
      {"/job/plan.yaml", "name: x\n"}, {"/job/empty", ""}, {"/job/b", std::string(3, '\0')}};
  job.delay_tsc_cycles = 7;
  return job;
}

TEST(JobImage, ComesBackWithItsDescription) {
  const auto image = EncodeJobImage(SampleJob());
  ASSERT_TRUE(image);
  const auto files = DecodeJobImage(*image + "rest of the memory");
  ASSERT_TRUE(files) << files.error().Text();
  EXPECT_EQ(files->size(), 4U);
  EXPECT_EQ(files->at("/job/plan.yaml"), "name: x\n");
  EXPECT_EQ(files->at("/job/empty"), "");
  EXPECT_EQ(files->at("/job/b"), std::string(3, '\0'));
  const auto job = JobFromJson(files->at(std::string(kJobFile)));
  ASSERT_TRUE(job);
  EXPECT_EQ(job->argv, SampleJob().argv);
  EXPECT_EQ(job->delay_tsc_cycles, 7U);
}

TEST(JobImage, EveryTruncationIsDamage) {
  const std::string image = EncodeJobImage(SampleJob()).value_or("");
  for (size_t size = 0; size < image.size(); ++size) {
    EXPECT_FALSE(DecodeJobImage(image.substr(0, size))) << size;
  }
}

TEST(JobImage, EveryChangedByteIsDamage) {
  const std::string image = EncodeJobImage(SampleJob()).value_or("");
  for (size_t at = 0; at < image.size(); ++at) {
    std::string changed = image;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    EXPECT_FALSE(DecodeJobImage(changed)) << at;
  }
}

}  // namespace
}  // namespace plectl::lab
