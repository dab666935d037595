// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/snapshot_store.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <vector>

#include "host_tools/lab/bochs_config.h"
#include "host_tools/lab/files.h"

namespace plectl::lab {
namespace {

namespace fs = std::filesystem;

constexpr size_t kKept = 8;  // about 150 MB each
// What others use now is not taken from them: a lab that is booted anew between two runs that are
// compared would not repeat itself. A machine with many kernels and users has so many at once.
constexpr size_t kKeptInUse = 32;
constexpr std::chrono::minutes kInUse(30);

}  // namespace

std::optional<Snapshot> SnapshotStore::Find(const std::string& key) const {
  std::error_code error;
  const fs::path directory = directory_ / key;
  // Made elsewhere and renamed: it is there whole or not at all.
  if (!fs::exists(directory / kStateDirectory, error)) return std::nullopt;
  fs::last_write_time(directory, fs::file_time_type::clock::now(), error);  // used just now
  return Snapshot{directory, key};
}

Result<Snapshot> SnapshotStore::Ensure(const std::string& key, const Maker& make) const {
  if (const auto snapshot = Find(key)) return *snapshot;
  PLECTL_ASSIGN_OR_RETURN(const Fd lock, LockFile(directory_ / (key + ".lock")));
  if (const auto snapshot = Find(key)) return *snapshot;  // made while we waited
  PLECTL_ASSIGN_OR_RETURN(const ScratchDirectory scratch,
                          ScratchDirectory::Create(directory_.string() + ".new"));
  const fs::path made = scratch.path() / "snapshot";
  PLECTL_RETURN_IF_ERROR(make(made));
  PLECTL_RETURN_IF_ERROR(MoveInto(made, directory_ / key));
  RemoveOldest(key);
  return Snapshot{directory_ / key, key};
}

void SnapshotStore::Discard(const std::string& key) const {
  std::error_code error;  // what stays is found not to work again
  fs::remove_all(directory_ / key, error);
}

// A run that copies a snapshot in this moment fails, and starts cold.
void SnapshotStore::RemoveOldest(const std::string& kept_key) const {
  std::error_code error;
  std::vector<fs::directory_entry> snapshots;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
    if (entry.is_directory() && entry.path().filename() != kept_key) snapshots.push_back(entry);
  }
  if (snapshots.size() < kKept) return;
  std::ranges::sort(snapshots, [&](const fs::directory_entry& a, const fs::directory_entry& b) {
    return a.last_write_time(error) > b.last_write_time(error);
  });
  const auto now = fs::file_time_type::clock::now();
  for (size_t i = kKept - 1; i < snapshots.size(); ++i) {
    const bool in_use = now - snapshots[i].last_write_time(error) < kInUse;
    if (in_use && i < kKeptInUse - 1) continue;
    fs::remove_all(snapshots[i].path(), error);
    fs::remove(snapshots[i].path().string() + ".lock", error);
  }
}

}  // namespace plectl::lab
