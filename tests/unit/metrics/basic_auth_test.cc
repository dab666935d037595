// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/basic_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "host_tools/base/file.h"
#include "host_tools/metrics/textfile.h"
#include "host_tools/metrics/tls_certificate.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::metrics {
namespace {

using ::testing::HasSubstr;

class SecretFile : public ::testing::Test {
 protected:
  std::filesystem::path Write(std::string_view text, mode_t mode = 0640) {
    std::filesystem::path path = directory_.path() / "secret";
    EXPECT_TRUE(WriteFileAtomically(path, text));
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  TempDir directory_;
};

TEST_F(SecretFile, HoldsOneUserAndPassword) {
  const auto credentials = LoadCredentials(Write("prometheus:pa:ss word\n"));
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_TRUE(credentials->Match("prometheus", "pa:ss word"));
  EXPECT_FALSE(credentials->Match("prometheus", "pa:ss wore"));
  EXPECT_FALSE(credentials->Match("prometheus", "pa:ss"));
  EXPECT_FALSE(credentials->Match("prometheus", ""));
  EXPECT_FALSE(credentials->Match("other", "pa:ss word"));
}

TEST_F(SecretFile, OfAnotherFormIsBadInput) {
  for (const char* text : {"", "\n", "user", "user:", ":password", "a:b\nc:d\n"}) {
    const auto credentials = LoadCredentials(Write(text));
    ASSERT_FALSE(credentials) << text;
    EXPECT_EQ(credentials.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(credentials.error().message, HasSubstr("USER:PASSWORD"));
  }
}

TEST_F(SecretFile, ThatEverybodyMayReadIsRefused) {
  for (const mode_t mode : {0644U, 0604U, 0602U}) {
    const auto credentials = LoadCredentials(Write("a:b", mode));
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(credentials.error().hint, HasSubstr("chmod o="));
    EXPECT_THAT(CheckTlsCertificate(Write("", mode)).error().hint, HasSubstr("chmod o="));
  }
}

TEST_F(SecretFile, ThatIsNotThereIsBadInput) {
  EXPECT_EQ(LoadCredentials("/nowhere/secret").error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(CheckTlsCertificate(directory_.path()).error().kind, ErrorKind::kBadInput);
}

TEST_F(SecretFile, WithoutKeyAndCertificateServesNoTls) {
  const Status checked = CheckTlsCertificate(Write("-----BEGIN CERTIFICATE-----\n"));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(checked.error().message, HasSubstr("PEM"));
}

TEST(Textfile, HasTheNameThatNodeExporterReads) {
  EXPECT_TRUE(CheckTextfilePath("/a/plectl.prom"));
  for (const char* path : {"/a/plectl.txt", "/a/plectl", "/a/plectl.prom/", "/a/.prom", ""}) {
    EXPECT_EQ(CheckTextfilePath(path).error().kind, ErrorKind::kBadInput) << path;
  }
}

TEST(Textfile, SaysWhichNameToUse) {
  const TempDir directory;
  const std::string folder = directory.path().string();
  EXPECT_EQ(CheckTextfilePath("/a/plectl").error().hint, "use /a/plectl.prom");
  EXPECT_EQ(CheckTextfilePath("/a/").error().hint, "use /a/plectl.prom");
  EXPECT_EQ(CheckTextfilePath("").error().hint, "use plectl.prom");
  EXPECT_EQ(CheckTextfilePath(folder).error().hint, "use " + folder + "/plectl.prom");
}

TEST(Textfile, EverybodyCanReadItWhateverTheUmask) {
  const TempDir directory;
  const std::filesystem::path path = directory.path() / "plectl.prom";
  const mode_t before = ::umask(077);
  EXPECT_TRUE(WriteTextfile(path, "a 1\n"));
  EXPECT_EQ(::umask(before), 077U);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  EXPECT_EQ(ReadFile(path).value(), "a 1\n");
}

}  // namespace
}  // namespace plectl::metrics
