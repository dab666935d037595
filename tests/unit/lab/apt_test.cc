// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/apt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace plectl::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kDebian = "http://deb.debian.org/debian";
constexpr std::string_view kSecurity = "http://deb.debian.org/debian-security";

TEST(DebianMirrors, AreTheFirstOfDebiansOwnWhateverTheRelease) {
  // A vendor's archive may have suites named bookworm, stable or trixie too.
  const DebianMirrors mirrors = ParseDebianMirrors(
      "https://packages.example/debian/|Vendor|Vendor CE\n"
      "https://sec.example/debian-security/|Debian|Debian-Security\n"
      "https://mirror.example:8080/debian/|Debian|Debian\n"
      "https://other.example/debian/|Debian|Debian\n");
  EXPECT_EQ(mirrors.archive, "https://mirror.example:8080/debian/");
  EXPECT_EQ(mirrors.security, "https://sec.example/debian-security/");
}

TEST(DebianMirrors, AreThePublicOnesWhenThereIsNone) {
  const DebianMirrors known{std::string(kDebian), std::string(kSecurity)};
  EXPECT_EQ(ParseDebianMirrors(""), known);
  EXPECT_EQ(ParseDebianMirrors("http://archive.example/ubuntu|Ubuntu|Ubuntu\n"), known);
  // Backports may lie in an archive of their own.
  EXPECT_EQ(ParseDebianMirrors("http://a.example/debian|Debian Backports|Debian Backports\n"),
            known);
}

TEST(DebianMirrors, OnlyWhatASourcesListTakesFromTheNetwork) {
  for (const char* line :
       {"file:/media/debian|Debian|Debian\n", "cdrom://[Debian]/|Debian|Debian\n",
        "http://mirror.example/[x=y]|Debian|Debian\n", "http://a|b|Debian|Debian\n"}) {
    EXPECT_EQ(ParseDebianMirrors(line).archive, kDebian) << line;
  }
}

TEST(DebianSources, AreTheSuitesOfTheReleaseWithTheirRepairs) {
  const DebianMirrors mirrors{"http://m.example/debian", "http://s.example/security"};
  EXPECT_EQ(SourcesOf(*FindDebianRelease("debian13"), mirrors),
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            "http://m.example/debian trixie main\n"
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            "http://m.example/debian trixie-updates main\n"
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            "http://s.example/security trixie-security main\n");
  EXPECT_EQ(SourcesOf(*FindDebianRelease("sid"), mirrors),
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            "http://m.example/debian sid main\n");
}

TEST(AptMessage, SaysWhenAKeyIsMissing) {
  // apt 2.6 with gpgv, and apt 3.0 with sqv.
  EXPECT_TRUE(
      LacksKey("E: The following signatures couldn't be verified because the public key is "
               "not available: NO_PUBKEY 6ED0E7B82643E131"));
  EXPECT_TRUE(
      LacksKey("Sub-process /usr/bin/sqv returned an error code (1), error message is: "
               "Missing key 4CB50190207B4758A3F73A796ED0E7B82643E131, which is needed"));
  EXPECT_FALSE(LacksKey("E: Could not resolve 'deb.debian.org'"));
}

TEST(PrivateAptConfiguration, KeepsItsStateAndTheMachinesWayToTheNetwork) {
  const std::string configuration = PrivateAptConfiguration(
      "/lab/apt",
      "APT::Update::Post-Invoke:: \"rm -f /var/cache/x\";\nDir::State \"var/lib/apt\";\n"
      "Acquire::http::Proxy \"http://proxy.example:3142\";\nAcquire::Languages:: \"de\";\n");
  EXPECT_THAT(configuration, AllOf(HasSubstr("Dir::State \"/lab/apt\";\n"),
                                   HasSubstr("Dir::Cache \"/lab/apt/cache\";\n"),
                                   HasSubstr("Dir::Etc::sourcelist \"/lab/apt/sources.list\";\n")));
  EXPECT_THAT(configuration, HasSubstr("Acquire::http::Proxy \"http://proxy.example:3142\";\n"));
  EXPECT_THAT(configuration, Not(HasSubstr("Post-Invoke")));
  EXPECT_THAT(configuration, Not(HasSubstr("var/lib")));
  EXPECT_THAT(configuration, Not(HasSubstr("\"de\"")));
}

TEST(Apt, ADirectoryThatAptCannotNameIsRefused) {
  const auto apt = Apt::OfRelease("/lab\"/apt", *FindDebianRelease("sid"),
                                  [](std::string_view text) { FAIL() << text; });
  ASSERT_FALSE(apt);
  EXPECT_EQ(apt.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(apt.error().hint, HasSubstr("--lab-dir"));
}

}  // namespace
}  // namespace plectl::lab
