// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/snapshot_store.h"

#include <gtest/gtest.h>

#include <chrono>

#include "host_tools/base/file.h"
#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/files.h"
#include "host_tools/lab/job_memory.h"
#include "host_tools/lab/little_endian.h"
#include "tests/unit/base/temp_dir.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

Status MakeSample(const fs::path& directory) {
  PLECTL_RETURN_IF_ERROR(MakeDirectories(directory / kStateDirectory));
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(directory / kIsoFile, "iso"));
  PLECTL_RETURN_IF_ERROR(WriteFileAtomically(directory / kStateDirectory / "memory.ram", "begin"));
  fs::resize_file(directory / kStateDirectory / "memory.ram", uint64_t{130} << 20);
  return OkStatus();
}

class SnapshotStoreTest : public testing::Test {
 protected:
  Result<Snapshot> Ensure(const std::string& key) {
    return store_.Ensure(key, [&](const fs::path& directory) {
      ++made_;
      return MakeSample(directory);
    });
  }
  size_t Kept(int made) const {
    size_t kept = 0;
    for (int i = 0; i < made; ++i) kept += store_.Find(std::to_string(i)) ? 1 : 0;
    return kept;
  }
  TempDir directory_;
  SnapshotStore store_{directory_.path()};
  int made_ = 0;
};

TEST_F(SnapshotStoreTest, MakesEachKeyOnce) {
  EXPECT_FALSE(store_.Find("a"));
  ASSERT_TRUE(Ensure("a"));
  ASSERT_TRUE(Ensure("a"));
  EXPECT_EQ(made_, 1);
  ASSERT_TRUE(Ensure("b"));
  EXPECT_EQ(made_, 2);
  store_.Discard("a");
  EXPECT_FALSE(store_.Find("a"));
  EXPECT_TRUE(store_.Find("b"));
}

TEST_F(SnapshotStoreTest, AFailedMakingLeavesNothing) {
  const auto snapshot =
      store_.Ensure("a", [](const fs::path&) -> Status { return Inconclusive("no display"); });
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().message, "no display");
  EXPECT_FALSE(store_.Find("a"));
  EXPECT_TRUE(fs::is_empty(directory_.path() / "snapshots.new"));
}

TEST_F(SnapshotStoreTest, KeepsABoundedNumber) {
  for (int i = 0; i < 12; ++i) {
    const auto made = Ensure(std::to_string(i));
    ASSERT_TRUE(made);
    fs::last_write_time(made->directory, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  EXPECT_EQ(Kept(12), 8U);
  EXPECT_TRUE(store_.Find("11"));
}

// Several users of one machine, or five kernels on two CPUs: none boots again and again.
TEST_F(SnapshotStoreTest, KeepsWhatIsInUse) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Ensure(std::to_string(i)));
  EXPECT_EQ(Kept(20), 20U);
  for (int i = 20; i < 40; ++i) ASSERT_TRUE(Ensure(std::to_string(i)));
  EXPECT_EQ(Kept(40), 32U);
}

TEST_F(SnapshotStoreTest, ACopyHoldsTheJobAndStaysSparse) {
  const auto snapshot = Ensure("a");
  ASSERT_TRUE(snapshot);
  const fs::path run = directory_.path() / "run";
  ASSERT_TRUE(MakeDirectories(run));
  const Status copied = CopySnapshot(*snapshot, "the job", run);
  ASSERT_TRUE(copied) << copied.error().Text();
  const std::string memory = ReadFile(run / kStateDirectory / "memory.ram").value_or("");
  ASSERT_EQ(memory.size(), uint64_t{130} << 20);
  EXPECT_EQ(memory.substr(0, 5), "begin");
  EXPECT_EQ(ReadLittleEndian(memory.substr(kJobMemoryAddress)), kJobMemoryFilled);
  EXPECT_EQ(memory.substr(kJobMemoryAddress + kJobImageOffset, 7), "the job");
  EXPECT_EQ(ReadFile(run / kIsoFile).value_or(""), "iso");
  // The snapshot itself is unchanged.
  const std::string original =
      ReadFile(snapshot->directory / kStateDirectory / "memory.ram").value_or("");
  EXPECT_EQ(original[kJobMemoryAddress], '\0');
}

}  // namespace
}  // namespace plectl::lab
