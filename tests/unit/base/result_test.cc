// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "host_tools/base/count.h"

namespace plectl {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return BadInput("odd", "give an even number");
  return value / 2;
}

Result<int> Quarter(int value) {
  PLECTL_ASSIGN_OR_RETURN(const int half, Half(value));
  PLECTL_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

Status CheckQuarter(int value) {
  PLECTL_RETURN_IF_ERROR(Quarter(value));
  return OkStatus();
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_TRUE(CheckQuarter(8));
  const Status odd = CheckQuarter(6);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(odd.error().Text(), "odd (next step: give an even number)");
}

TEST(Result, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  EXPECT_EQ(*std::move(result).value(), 3);
}

TEST(Result, SystemFailureNamesTheErrno) {
  const Failure failure = SystemFailure("open /x", ENOENT);
  EXPECT_EQ(failure.value().message, "open /x: No such file or directory");
  EXPECT_EQ(failure.value().kind, ErrorKind::kEnvironment);
}

TEST(Result, ContextIsPrepended) {
  const Error error = WithContext("plan.yaml", Error{ErrorKind::kInconclusive, "bad", "hint"});
  EXPECT_EQ(error.message, "plan.yaml: bad");
  EXPECT_EQ(error.hint, "hint");
  EXPECT_EQ(error.kind, ErrorKind::kInconclusive);
}

TEST(Count, ZeroIsAValueAndMissingIsNot) {
  EXPECT_TRUE(Count(0).has_value());
  EXPECT_EQ(Count(7).value(), 7U);
  const Count missing = Count::Missing("no BTF");
  EXPECT_FALSE(missing.has_value());
  EXPECT_EQ(missing.missing_because(), "no BTF");
  EXPECT_FALSE(missing == Count(0));
}

}  // namespace
}  // namespace plectl
