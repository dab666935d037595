// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/observer_cost.h"

#include <gtest/gtest.h>

#include <vector>

namespace plectl::host {
namespace {

using Names = std::vector<std::string>;

TEST(ObserverCost, OfTheDefaultStaysWithinItsBound) {
  EXPECT_LE(CostInLab(Names{"bpf-exit"}).per_pause_exit.value(), 180U);
  EXPECT_LE(CostInLab(Names{"bpf-on-spin"}).per_pause_exit.value(), 145U);
  EXPECT_EQ(CostInLab(Names{"bpf-on-spin"}).per_other_exit, Count(0));
}

TEST(ObserverCost, IsMissingWhereNobodyMeasuredIt) {
  const Names broken = {"bpf-exit", "bpf-on-spin, dropping every 3th"};
  EXPECT_FALSE(CostInLab(broken).per_pause_exit.has_value());
  EXPECT_FALSE(CostInLab({}).per_other_exit.has_value());
}

}  // namespace
}  // namespace plectl::host
