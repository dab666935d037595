// SPDX-License-Identifier: Apache-2.0
#include "host_tools/host/load_note.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "host_tools/base/file.h"
#include "host_tools/base/text.h"

namespace plectl::host {

uint64_t LoadNumber(const HostRoot& root, KvmModule module) {
  struct stat status {};
  const auto path = root.Path(fmt::format("/sys/module/{}", ModuleName(module)));
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

Status ForgetOurLoad(const HostRoot& root) {
  if (!root.Exists(kLoadNotePath)) return OkStatus();
  return RemoveFileDurably(root.Path(kLoadNotePath));
}

void NoteOurLoad(const HostRoot& root, KvmModule module) {
  constexpr unsigned kOwnerOnly = 0600;
  const auto path = root.Path(kLoadNotePath);
  if (!MakeDirectories(path.parent_path())) return;
  static_cast<void>(
      WriteFileAtomically(path, fmt::format("{}\n", LoadNumber(root, module)), kOwnerOnly)
          .has_value());
}

bool IsLoadedByAnother(const HostRoot& root, KvmModule module) {
  const uint64_t now = LoadNumber(root, module);
  const auto noted = ParseUint(root.ReadTrimmed(kLoadNotePath).value_or(""));
  return now != 0 && noted && *noted != now;
}

}  // namespace plectl::host
