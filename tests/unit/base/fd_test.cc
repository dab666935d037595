// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace plectl {
namespace {

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

int OpenNull() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(Fd, ClosesAtEndOfScope) {
  int number = -1;
  {
    const Fd fd(OpenNull());
    number = fd.get();
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(Fd, MovesOwnership) {
  Fd first(OpenNull());
  const int number = first.get();
  Fd second(std::move(first));
  EXPECT_EQ(second.get(), number);
  Fd third(OpenNull());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(IsOpen(replaced));
  EXPECT_TRUE(IsOpen(number));
}

TEST(Fd, ReleaseGivesItAwayAndResetIsIdempotent) {
  Fd fd(OpenNull());
  const int number = fd.Release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(IsOpen(number));
  Fd again(number);
  again.Reset();
  again.Reset();
  EXPECT_FALSE(IsOpen(number));
}

}  // namespace
}  // namespace plectl
