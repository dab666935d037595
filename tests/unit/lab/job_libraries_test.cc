// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/job_libraries.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "host_tools/base/file.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(MissingLibraries, AreThoseOfOtherNames) {
  const SharedLibrary libc{"libc.so.6", "/lib/libc.so.6"};
  const SharedLibrary other_libc{"libc.so.6", "/opt/libc.so.6"};
  const SharedLibrary odd{"libodd.so.1", "/lib/libodd.so.1"};
  EXPECT_THAT(MissingLibraries({libc, odd}, {other_libc}), ElementsAre(odd));
  EXPECT_THAT(MissingLibraries({libc}, {odd, other_libc}), IsEmpty());
}

// Where the loader of the lab finds the library that plectl_needy_program asks for.
constexpr char kOddInLab[] = "/lib/x86_64-linux-gnu/libplectl_odd.so.1";

LabJob JobWith(const std::string& path, const char* host) {
  LabJob job;
  job.files.emplace(path, *ReadFile(host));
  return job;
}

TEST(GivenLibraries, AreKnownByFileAndBySoname) {
  LabJob job = JobWith("/job/libplectl_odd.so.1.2.3", PLECTL_ODD_LIBRARY);
  job.files.emplace("/job/libtext.so.1", "no library");
  EXPECT_THAT(GivenLibraries(job),
              UnorderedElementsAre(Pair("libplectl_odd.so.1.2.3", "/job/libplectl_odd.so.1.2.3"),
                                   Pair("libplectl_odd.so.1", "/job/libplectl_odd.so.1.2.3")));
}

TEST(AddLibrariesOf, AddsNothingForWhatIsNoProgram) {
  LabJob job;
  EXPECT_TRUE(AddLibrariesOf({"/etc/passwd"}, job));
  EXPECT_TRUE(AddLibrariesOf({"/usr/bin/ldd"}, job)) << "a script";
  EXPECT_TRUE(AddLibrariesOf({"/no/such/file"}, job));
  EXPECT_TRUE(job.files.empty());
}

TEST(AddLibrariesOf, AddsNothingThatThisProgramBrings) {
  LabJob job;
  EXPECT_TRUE(AddLibrariesOf({fmt::format("/proc/{}/exe", ::getpid())}, job));
  EXPECT_TRUE(job.files.empty());
}

TEST(AddLibrariesOf, RefusesWhatIsNeitherHereNorGiven) {
  LabJob job;
  const Status status = AddLibrariesOf({PLECTL_NEEDY_PROGRAM}, job);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(status.error().message, HasSubstr(PLECTL_NEEDY_PROGRAM));
  EXPECT_THAT(status.error().message, HasSubstr("libplectl_odd.so.1"));
  EXPECT_THAT(status.error().hint, HasSubstr("--file"));
}

TEST(AddLibrariesOf, AFileOfTheNameIsNotTheLibrary) {
  LabJob job;
  job.files.emplace(kOddInLab, "no library");
  EXPECT_FALSE(AddLibrariesOf({PLECTL_NEEDY_PROGRAM}, job));
}

TEST(AddLibrariesOf, TakesAGivenLibraryThatThisMachineDoesNotHave) {
  LabJob job = JobWith(kOddInLab, PLECTL_ODD_LIBRARY);
  const Status status = AddLibrariesOf({PLECTL_NEEDY_PROGRAM}, job);
  EXPECT_TRUE(status) << status.error().Text();
  EXPECT_THAT(job.files, ElementsAre(Pair(kOddInLab, _)));
}

TEST(AddLibrariesOf, PutsAGivenLibraryWhereTheLoaderLooks) {
  for (const char* path : {"/job/libplectl_odd.so.1", "/job/libplectl_odd.so.1.2.3",
                           "/lib/x86_64-linux-gnu/libplectl_odd.so.1.2.3"}) {
    LabJob job = JobWith(path, PLECTL_ODD_LIBRARY);
    ASSERT_TRUE(AddLibrariesOf({PLECTL_NEEDY_PROGRAM}, job)) << path;
    EXPECT_EQ(job.files.size(), 2) << path;
    EXPECT_EQ(job.files[kOddInLab], job.files[path]);
  }
}

// The library may be needed by another library only, which needs not be executable.
TEST(AddLibrariesOf, LibrariesNeedLibrariesToo) {
  const fs::path copy = fs::path(::testing::TempDir()) / "libneedy.so.1";
  fs::copy_file(PLECTL_NEEDY_PROGRAM, copy, fs::copy_options::overwrite_existing);
  fs::permissions(copy, fs::perms::owner_read);
  LabJob job;
  EXPECT_FALSE(AddLibrariesOf({copy}, job));
  fs::remove(copy);
}

// The job's own library goes before this machine's of the same name, as /bin/bash's libtinfo.
TEST(AddLibrariesOf, DoesNotReplaceAGivenLibrary) {
  constexpr char kTinfo[] = "/lib/x86_64-linux-gnu/libtinfo.so.6";
  LabJob ordinary;
  ASSERT_TRUE(AddLibrariesOf({"/bin/bash"}, ordinary));
  ASSERT_TRUE(ordinary.files.contains(kTinfo));
  LabJob job = JobWith(kTinfo, PLECTL_ODD_LIBRARY);
  const std::string given = job.files[kTinfo];
  ASSERT_TRUE(AddLibrariesOf({"/bin/bash"}, job));
  EXPECT_EQ(job.files[kTinfo], given);
}

}  // namespace
}  // namespace plectl::lab
