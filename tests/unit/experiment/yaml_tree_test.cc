// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/yaml_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plectl::experiment {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  const Result<YamlNode> node = ParseYaml(text);
  return node ? "no error" : node.error().message;
}

TEST(YamlTree, KeepsStructureAndPlaces) {
  const Result<YamlNode> root = ParseYaml("a: 1\nb:\n  - \"x\"\n  - {c: ~}\n");
  ASSERT_TRUE(root) << root.error().message;
  ASSERT_EQ(root->kind, YamlKind::kMap);
  ASSERT_NE(root->Find("a"), nullptr);
  EXPECT_EQ(root->Find("a")->text, "1");
  EXPECT_FALSE(root->Find("a")->quoted);
  EXPECT_EQ(root->Find("a")->place.line, 1);
  EXPECT_EQ(root->Find("a")->place.column, 4);
  const YamlNode& list = *root->Find("b");
  ASSERT_EQ(list.kind, YamlKind::kList);
  ASSERT_EQ(list.values.size(), 2U);
  EXPECT_TRUE(list.values[0].quoted);
  EXPECT_EQ(list.values[0].place.line, 3);
  EXPECT_EQ(list.values[0].place.column, 5);
  EXPECT_EQ(list.values[1].Find("c")->kind, YamlKind::kNull);
  EXPECT_EQ(list.values[1].Find("c")->place.column, 6);  // of its key
  EXPECT_EQ(root->Find("nothing"), nullptr);
}

TEST(YamlTree, AnEmptyTextIsNull) {
  for (const std::string_view text : {"", "\n\n", "# only a comment\n", "---\n", "~"}) {
    const Result<YamlNode> root = ParseYaml(text);
    ASSERT_TRUE(root) << text;
    EXPECT_EQ(root->kind, YamlKind::kNull);
  }
}

TEST(YamlTree, RefusesWhatCouldGrow) {
  EXPECT_EQ(ErrorOf("a: &x 1\nb: *x\n"),
            "1:4: anchors (&name) are not supported; write the value out");
  // Newer parsers add its name.
  EXPECT_THAT(ErrorOf("a: *x\n"),
              ::testing::StartsWith("1:4: the referenced anchor is not defined"));
  EXPECT_EQ(ErrorOf("a: &x [1]\n"), "1:4: anchors (&name) are not supported; write the value out");
  EXPECT_THAT(ErrorOf("a: !!int 1\n"), HasSubstr("1:4: tags (!name) are not supported"));
}

TEST(YamlTree, RefusesASecondDocument) {
  EXPECT_THAT(ErrorOf("a: 1\n---\nb: 2\n"), HasSubstr("one YAML document ends before this"));
  EXPECT_THAT(ErrorOf("a: 1\n...\nb: 2\n"), HasSubstr("3:1: the file's one YAML document ends"));
}

TEST(YamlTree, RefusesDuplicateAndComplexKeys) {
  EXPECT_EQ(ErrorOf("a: 1\nb: 2\na: 3\n"), "3:1: the key \"a\" is already set in line 1");
  EXPECT_EQ(ErrorOf("{a: {x: 1, x: 2}}"), "1:12: the key \"x\" is already set in line 1");
  EXPECT_EQ(ErrorOf("? [1, 2]\n: 3\n"), "1:3: a key must be a word");
}

TEST(YamlTree, BoundsDepthSizeAndKeys) {
  EXPECT_EQ(ErrorOf(std::string(10'000, '[')), "1:9: nested deeper than 16");
  EXPECT_THAT(ErrorOf(std::string((1 << 20) + 1, ' ')), HasSubstr("at most 1048576 are read"));
  std::string keys;
  for (int i = 0; i < 300; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(ErrorOf(keys), "257:1: more than 256 keys");
}

TEST(YamlTree, SyntaxErrorsHaveTheirPlace) {
  EXPECT_THAT(ErrorOf("a: [1, 2\nb: 3\n"), ::testing::StartsWith("2:2: "));
  EXPECT_THAT(ErrorOf("a: 'x"), ::testing::StartsWith("1:"));
  EXPECT_THAT(ErrorOf("a: b: c\n"), ::testing::StartsWith("1:5: "));
  EXPECT_EQ(ErrorOf("a: 1\n\tb: 2\x01"), "2:6: the byte 0x01 is a control character");
}

}  // namespace
}  // namespace plectl::experiment
