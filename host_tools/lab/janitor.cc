// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/janitor.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "host_tools/base/file.h"
#include "host_tools/base/pipe.h"

namespace plectl::lab {
namespace {

// The janitor is a copy of a process that may have had other threads: no more than
// async-signal-safe calls from here on (signal-safety(7)), so no heap and no readdir(3).

// Of getdents64(2).
struct DirectoryEntry {
  ino64_t inode;
  off64_t offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

void RemoveTree(int parent, const char* name, int depth);

// True when there may be more: names that were removed can have moved others out of this listing.
bool RemoveSomeEntries(int directory, int depth) {
  alignas(DirectoryEntry) std::array<char, 2048> buffer;
  const long count = ::syscall(SYS_getdents64, directory, buffer.data(), buffer.size());
  for (long at = 0; at < count;) {
    const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer.data() + at);
    const bool is_dots = std::strcmp(entry->name, ".") == 0 || std::strcmp(entry->name, "..") == 0;
    if (!is_dots) RemoveTree(directory, entry->name, depth);
    at += entry->size;
  }
  return count > 0;
}

// `depth` bounds the recursion: run directories are two levels deep.
void RemoveTree(int parent, const char* name, int depth) {
  if (::unlinkat(parent, name, 0) == 0 || depth == 0) return;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const int directory = ::openat(parent, name, kFlags);
  if (directory < 0) return;
  while (RemoveSomeEntries(directory, depth - 1)) {
  }
  ::close(directory);
  ::unlinkat(parent, name, AT_REMOVEDIR);
}

[[noreturn]] void WaitAndRemove(int ready, int lifeline, const char* directory) {
  constexpr int kDepthMax = 8;
  ::setsid();  // a Ctrl-C at the terminal, or a kill of the process group, is not for us
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  ::prctl(PR_SET_NAME, "plectl-janitor");
  char byte = 0;
  if (::write(ready, &byte, 1) != 1) ::_exit(1);
  ::dup2(lifeline, 0);
  ::syscall(SYS_close_range, 1U, ~0U, 0U);  // locks and terminals of the other process
  while (::read(0, &byte, 1) < 0 && errno == EINTR) {
  }
  // A machine that was killed with its owner may write a last file: again until it is gone.
  RemoveTree(AT_FDCWD, directory, kDepthMax);
  for (int i = 0; i < 200 && ::access(directory, F_OK) == 0; ++i) {
    ::usleep(50'000);
    RemoveTree(AT_FDCWD, directory, kDepthMax);
  }
  ::_exit(0);
}

}  // namespace

Result<Janitor> Janitor::Start(const std::filesystem::path& directory) {
  PLECTL_ASSIGN_OR_RETURN(Pipe lifeline, MakePipe());
  PLECTL_ASSIGN_OR_RETURN(Pipe ready, MakePipe());
  const pid_t pid = ::fork();
  if (pid < 0) return SystemFailure("fork a janitor for the lab's files", errno);
  if (pid == 0) {
    ::close(lifeline.write_end.get());  // or it would keep itself alive
    WaitAndRemove(ready.write_end.get(), lifeline.read_end.get(), directory.c_str());
  }
  Janitor janitor(pid, std::move(lifeline.write_end));
  ready.write_end.Reset();
  char byte = 0;
  ssize_t count = 0;
  while ((count = ::read(ready.read_end.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  if (count != 1) return Environment("the janitor for the lab's files ended at its start");
  return janitor;
}

Janitor::Janitor(Janitor&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), lifeline_(std::move(other.lifeline_)) {}

Janitor::~Janitor() {
  lifeline_.Reset();
  while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace plectl::lab
