// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/json_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace plectl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ParseErrorOf(std::string_view text) {
  const auto json = ParseJsonObject(text);
  return json ? "no error" : json.error().message;
}

TEST(ParseJson, ReadsAnObject) {
  EXPECT_EQ(ParseJsonObject(R"( {"a":[1,{"b":"x"}]} )").value()["a"][1]["b"], "x");
}

TEST(ParseJson, RefusesWhatWouldBeMisread) {
  EXPECT_EQ(ParseErrorOf(R"({"a":1,"a":2})"), "the key \"a\" stands twice in an object");
  EXPECT_EQ(ParseErrorOf(std::string("{\"a\":1}\0 junk", 13)), "holds a NUL byte");
  EXPECT_EQ(ParseErrorOf("[1]"), "is no JSON object");
  EXPECT_EQ(ParseErrorOf("17"), "is no JSON object");
  EXPECT_THAT(ParseErrorOf(""), HasSubstr("parse error"));
  EXPECT_THAT(ParseErrorOf("{\"a\":1"), HasSubstr("parse error"));
  EXPECT_THAT(ParseErrorOf("{\"a\":1}{"), HasSubstr("parse error"));
  EXPECT_THAT(ParseErrorOf("{\"a\":\"\xff\"}"), HasSubstr("UTF-8"));
  EXPECT_THAT(ParseErrorOf("{\"a\":1e999}"), HasSubstr("1e999"));
  EXPECT_THAT(ParseErrorOf("{\"a\":NaN}"), HasSubstr("parse error"));
}

TEST(ParseJson, TheSameKeyInDifferentObjectsIsFine) {
  EXPECT_TRUE(ParseJsonObject(R"({"a":{"a":1},"b":{"a":[{"a":2},{"a":3}]}})"));
}

TEST(ParseJson, BoundsTheDepth) {
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(ParseJsonObject(nested(31)));
  EXPECT_EQ(ParseErrorOf(nested(32)), "nested too deep");
  EXPECT_EQ(ParseErrorOf("{\"a\":" + std::string(1'000'000, '[')), "nested too deep");
}

class JsonFieldsTest : public ::testing::Test {
 protected:
  template <class T>
  static std::string ErrorOf(const Result<T>& result) {
    return result ? "no error" : result.error().message;
  }
  const nlohmann::json json_ = nlohmann::json::parse(R"({
    "zero": 0, "max": 18446744073709551615, "over": 18446744073709551616, "negative": -1,
    "float": 1.5, "word": "x", "yes": true, "nothing": null, "list": [1, 2], "mixed": [1, "x"],
    "missing": {"missing_because": "why"}, "empty_reason": {"missing_because": ""},
    "map": {"a": 1, "b": 2}, "int_max": 9223372036854775807, "int_min": -9223372036854775808,
    "over_int": 9223372036854775808})");
  const JsonFields fields_ = JsonFields::Of(json_, "t").value();
};

TEST_F(JsonFieldsTest, Uint) {
  EXPECT_EQ(fields_.Uint("zero").value(), 0U);
  EXPECT_EQ(fields_.Uint("max").value(), UINT64_MAX);
  EXPECT_EQ(ErrorOf(fields_.Uint("negative")),
            "t.negative: expected a whole number from 0 to 18446744073709551615, got -1");
  EXPECT_EQ(ErrorOf(fields_.Uint("max", 5)),
            "t.max: expected a whole number from 0 to 5, got 18446744073709551615");
  for (const char* key : {"over", "float", "word", "yes", "nothing", "list", "map", "absent"}) {
    EXPECT_THAT(ErrorOf(fields_.Uint(key)), HasSubstr("expected a whole number")) << key;
    EXPECT_EQ(fields_.UintOrZero(key).has_value(), std::string(key) == "absent");
  }
}

TEST_F(JsonFieldsTest, Int) {
  EXPECT_EQ(fields_.Int("negative").value(), -1);
  EXPECT_EQ(fields_.Int("int_max").value(), INT64_MAX);
  for (const char* key : {"int_min", "over_int", "max", "float", "word", "absent"}) {
    EXPECT_FALSE(fields_.Int(key)) << key;
  }
}

TEST_F(JsonFieldsTest, Number) {
  EXPECT_EQ(fields_.Number("float").value(), 1.5);
  EXPECT_EQ(fields_.Number("zero").value(), 0);
  for (const char* key : {"negative", "word", "nothing", "absent"}) {
    EXPECT_FALSE(fields_.Number(key)) << key;
  }
}

TEST_F(JsonFieldsTest, CountIsAValueOrAReason) {
  EXPECT_EQ(fields_.CountOf("zero").value(), Count(0));
  EXPECT_EQ(fields_.CountOf("missing").value(), Count::Missing("why"));
  EXPECT_THAT(ErrorOf(fields_.CountOf("empty_reason")), HasSubstr("expected a reason"));
  for (const char* key : {"map", "word", "negative", "absent"}) {
    EXPECT_FALSE(fields_.CountOf(key)) << key;
  }
  EXPECT_EQ(ToJson(Count(0)).dump(), "0");
  EXPECT_EQ(ToJson(Count::Missing("why")).dump(), R"({"missing_because":"why"})");
}

TEST_F(JsonFieldsTest, ListsAndMaps) {
  EXPECT_THAT(fields_.UintList("list", 2).value(), ElementsAre(1, 2));
  EXPECT_FALSE(fields_.UintList("list", 1));
  EXPECT_THAT(ErrorOf(fields_.UintList("mixed", 9)), HasSubstr("t.mixed: expected whole numbers"));
  EXPECT_FALSE(fields_.TextList("mixed"));
  EXPECT_EQ(fields_.UintMap("map").value().at("b"), 2U);
  EXPECT_THAT(ErrorOf(fields_.UintMap("missing")), HasSubstr("t.missing.missing_because"));
  EXPECT_FALSE(fields_.ObjectList("list"));
  EXPECT_FALSE(fields_.Object("word"));
}

TEST_F(JsonFieldsTest, MessagesStayShort) {
  const nlohmann::json json = {{"a", std::string(100'000, 'x')}};
  const std::string error = ErrorOf(JsonFields::Of(json, "t").value().Uint("a"));
  EXPECT_LT(error.size(), 200U);
}

}  // namespace
}  // namespace plectl::experiment
