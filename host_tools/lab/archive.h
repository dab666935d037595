// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace plectl::lab {

// An initramfs archive in the making: files by path, as the kernel unpacks them
// (Documentation/driver-api/early-userspace/buffer-format.rst). The bytes depend on nothing but
// the content: sorted by path, owner 0, time 0, inode numbers in order.
class Archive {
 public:
  // `path` is absolute; its parents are added as directories. A later entry replaces an earlier
  // one of the same path. `mode` holds the permission bits.
  void AddFile(std::string_view path, std::string content, uint32_t mode = 0755);
  void AddSymlink(std::string_view path, std::string target);
  void AddDirectory(std::string_view path);

  // The archive in the "newc" format of cpio(5), padded to whole 512-byte blocks.
  [[nodiscard]] std::string ToCpio() const;

 private:
  struct Entry {
    uint32_t mode = 0;  // as in stat(2), with the file type
    std::string content;
  };
  void Add(std::string_view path, Entry entry);
  std::map<std::string, Entry> entries_;  // by path without the leading slash
};

}  // namespace plectl::lab
