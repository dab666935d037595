// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_libraries.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace plectl::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MissingLibraries, AreThoseOfOtherNames) {
  const SharedLibrary libc{"libc.so.6", "/lib/libc.so.6"};
  const SharedLibrary other_libc{"libc.so.6", "/opt/libc.so.6"};
  const SharedLibrary odd{"libodd.so.1", "/lib/libodd.so.1"};
  EXPECT_THAT(MissingLibraries({libc, odd}, {other_libc}), ElementsAre(odd));
  EXPECT_THAT(MissingLibraries({libc}, {odd, other_libc}), IsEmpty());
}

TEST(AddLibrariesOf, AddsNothingForWhatIsNoProgram) {
  LabJob job;
  EXPECT_TRUE(AddLibrariesOf("/etc/passwd", job));
  EXPECT_TRUE(AddLibrariesOf("/usr/bin/ldd", job)) << "a script";
  EXPECT_TRUE(AddLibrariesOf("/no/such/file", job));
  EXPECT_TRUE(job.files.empty());
}

TEST(AddLibrariesOf, AddsNothingThatThisProgramBrings) {
  LabJob job;
  EXPECT_TRUE(AddLibrariesOf(fmt::format("/proc/{}/exe", ::getpid()), job));
  EXPECT_TRUE(job.files.empty());
}

}  // namespace
}  // namespace plectl::lab
