// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "host_tools/base/fd.h"
#include "host_tools/base/result.h"
#include "host_tools/lab/snapshot.h"

namespace plectl::lab {

// The snapshots of a lab directory, by key. Several processes may use it at once.
class SnapshotStore {
 public:
  explicit SnapshotStore(const std::filesystem::path& lab_directory)
      : directory_(lab_directory / "snapshots") {}

  // The snapshot `key`, made by `make` in a fresh directory when there is none; others that need
  // it wait meanwhile. Old ones are removed. `make`'s error is the result's.
  using Maker = std::function<Status(const std::filesystem::path& directory)>;
  Result<Snapshot> Ensure(const std::string& key, const Maker& make) const;
  // Nothing when there is none.
  [[nodiscard]] std::optional<Snapshot> Find(const std::string& key) const;
  // Removes it, e.g. because it does not work.
  void Discard(const std::string& key) const;

 private:
  void RemoveOldest(const std::string& kept_key) const;

  std::filesystem::path directory_;
};

}  // namespace plectl::lab
