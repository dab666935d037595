// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/soname.h"

#include <gtest/gtest.h>

#include <string>

#include "host_tools/base/file.h"

namespace plectl::lab {
namespace {

std::string Content(const char* file) { return *ReadFile(file); }

TEST(Soname, IsWhatProgramsAskFor) {
  const std::string library = Content(PLECTL_ODD_LIBRARY);
  EXPECT_TRUE(IsSharedObject(library));
  EXPECT_EQ(SonameOf(library), "libplectl_odd.so.1");
}

TEST(Soname, ProgramsHaveNone) { EXPECT_EQ(SonameOf(Content(PLECTL_NEEDY_PROGRAM)), std::nullopt); }

TEST(Soname, OtherFilesAreNoSharedObjects) {
  for (const char* text : {"",
                           "\x7f"
                           "ELF",
                           "/* GNU ld script */"}) {
    EXPECT_FALSE(IsSharedObject(text));
    EXPECT_EQ(SonameOf(text), std::nullopt);
  }
}

TEST(Soname, ATruncatedLibraryHarmsNothing) {
  const std::string library = Content(PLECTL_ODD_LIBRARY);
  for (size_t size = 0; size < library.size(); size += 7) {
    const std::string soname = SonameOf(std::string_view(library).substr(0, size)).value_or("");
    EXPECT_TRUE(std::string_view("libplectl_odd.so.1").starts_with(soname)) << size;
  }
}

}  // namespace
}  // namespace plectl::lab
