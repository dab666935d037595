// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/shared_libraries.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace plectl::lab {
namespace {

TEST(Ldd, LibrariesAndLoader) {
  const auto libraries = ParseLdd(
      "\tlinux-vdso.so.1 (0x00007ffd3b5f2000)\n"
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0)\n"
      "\tlibodd.so.1 => /opt/my libs (old)/libodd.so.1 (0x00007f1)\n"
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n");
  EXPECT_THAT(libraries,
              testing::ElementsAre(
                  SharedLibrary{"libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"},
                  SharedLibrary{"libodd.so.1", "/opt/my libs (old)/libodd.so.1"},
                  SharedLibrary{"/lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2"}));
}

TEST(Ldd, AMissingLibraryHasNoFile) {
  EXPECT_THAT(ParseLdd("\tlibgone.so.3 => not found\n"),
              testing::ElementsAre(SharedLibrary{"libgone.so.3", ""}));
}

TEST(Ldd, AMissingLibraryIsAnError) {
  const auto libraries = SharedLibrariesOf(PLECTL_NEEDY_PROGRAM);
  ASSERT_FALSE(libraries);
  EXPECT_EQ(libraries.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(libraries.error().message, testing::HasSubstr(PLECTL_NEEDY_PROGRAM));
  EXPECT_THAT(libraries.error().message, testing::HasSubstr("libplectl_odd.so.1: not found"));
}

TEST(Ldd, StaticProgramsHaveNone) {
  EXPECT_THAT(ParseLdd("\tstatically linked\n"), testing::IsEmpty());
  EXPECT_THAT(ParseLdd(""), testing::IsEmpty());
}

TEST(Ldd, OfThisProgram) {
  const auto libraries = SharedLibrariesOf(fmt::format("/proc/{}/exe", ::getpid()));
  ASSERT_TRUE(libraries) << libraries.error().Text();
  EXPECT_THAT(*libraries, testing::Not(testing::IsEmpty()));
}

TEST(Ldd, OfNoProgram) { EXPECT_FALSE(SharedLibrariesOf("/nonexistent")); }

}  // namespace
}  // namespace plectl::lab
