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

TEST(DebianMirror, IsTheFirstOfDebian12) {
  EXPECT_EQ(ParseDebianMirror("https://packages.example/apt cloud-sdk-bookworm\n"
                              "http://security.example/debian-security/ bookworm-security\n"
                              "https://mirror.example:8080/debian/ bookworm\n"
                              "http://other.example/debian/ bookworm\n"),
            "https://mirror.example:8080/debian/");
}

TEST(DebianMirror, IsDebiansOwnWhenThereIsNone) {
  EXPECT_EQ(ParseDebianMirror(""), kDebian);
  EXPECT_EQ(ParseDebianMirror("http://archive.example/ubuntu noble\n"), kDebian);
}

TEST(DebianMirror, OnlyWhatASourcesListTakesFromTheNetwork) {
  EXPECT_EQ(ParseDebianMirror("file:/media/debian bookworm\n"), kDebian);
  EXPECT_EQ(ParseDebianMirror("cdrom://[Debian]/ bookworm\n"), kDebian);
  EXPECT_EQ(ParseDebianMirror("http://mirror.example/[x=y] bookworm\n"), kDebian);
  EXPECT_EQ(ParseDebianMirror("http://a b bookworm\n"), kDebian);
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
  const auto apt = Apt::OfSuite("/lab\"/apt", "bookworm-backports");
  ASSERT_FALSE(apt);
  EXPECT_EQ(apt.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(apt.error().hint, HasSubstr("--lab-dir"));
}

}  // namespace
}  // namespace plectl::lab
