// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/archive.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

namespace plectl::lab {
namespace {

constexpr size_t kAlignment = 4;
constexpr size_t kBlockSize = 512;

void Pad(std::string& archive, size_t alignment) {
  archive.resize((archive.size() + alignment - 1) / alignment * alignment, '\0');
}

struct Header {
  size_t inode = 0;
  uint32_t mode = 0;
};

void Append(std::string& archive, const Header& header, std::string_view path,
            std::string_view content) {
  // Magic, then inode, mode, uid, gid, links, mtime, size, device and rdevice (major and minor),
  // length of the name with its NUL, checksum (unused in this format): eight hex digits each.
  archive += fmt::format(
      "070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}"
      "{:08X}{:08X}",
      header.inode, header.mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, path.size() + 1, 0);
  archive.append(path);
  archive.push_back('\0');
  Pad(archive, kAlignment);
  archive.append(content);
  Pad(archive, kAlignment);
}

}  // namespace

void Archive::AddFile(std::string_view path, std::string content, uint32_t mode) {
  Add(path, {S_IFREG | mode, std::move(content)});
}

void Archive::AddSymlink(std::string_view path, std::string target) {
  Add(path, {S_IFLNK | 0777, std::move(target)});
}

void Archive::AddDirectory(std::string_view path) { Add(path, {S_IFDIR | 0755, {}}); }

void Archive::Add(std::string_view path, Entry entry) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  for (size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    entries_.try_emplace(std::string(path.substr(0, slash)), Entry{S_IFDIR | 0755, {}});
  }
  entries_.insert_or_assign(std::string(path), std::move(entry));
}

std::string Archive::ToCpio() const {
  std::string archive;
  size_t inode = 1;
  for (const auto& [path, entry] : entries_) {
    Append(archive, {inode++, entry.mode}, path, entry.content);
  }
  Append(archive, {}, "TRAILER!!!", "");
  Pad(archive, kBlockSize);
  return archive;
}

}  // namespace plectl::lab
