// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "host_tools/base/file.h"
#include "host_tools/lab/display.h"

namespace plectl::lab {
namespace {

// Namespaces to enter, in this order; invalid where the process shares ours.
struct Namespaces {
  Fd user;
  Fd network;
};

Result<Fd> OpenUnlessOurs(pid_t pid, std::string_view kind) {
  const std::string theirs = fmt::format("/proc/{}/ns/{}", pid, kind);
  const std::string ours = fmt::format("/proc/self/ns/{}", kind);
  PLECTL_ASSIGN_OR_RETURN(Fd fd, OpenFile(theirs, O_RDONLY));
  struct stat their_stat {};
  struct stat our_stat {};
  if (::fstat(fd.get(), &their_stat) != 0 || ::stat(ours.c_str(), &our_stat) != 0) {
    return SystemFailure(fmt::format("look at {}", theirs), errno);
  }
  return their_stat.st_ino == our_stat.st_ino ? Fd() : std::move(fd);
}

// The control message that carries one file descriptor.
struct FdMessage {
  FdMessage() {
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  int error_number = 0;
  iovec data{&error_number, sizeof error_number};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
};

// Runs between fork() and _exit(): only async-signal-safe calls.
int ConnectInside(const Namespaces& namespaces, const sockaddr_in& address) {
  if (namespaces.user.valid() && ::setns(namespaces.user.get(), CLONE_NEWUSER) != 0) return -1;
  if (namespaces.network.valid() && ::setns(namespaces.network.get(), CLONE_NEWNET) != 0) return -1;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

[[noreturn]] void SendConnection(int channel, const Namespaces& namespaces,
                                 const sockaddr_in& address) {
  FdMessage message;
  const int fd = ConnectInside(namespaces, address);
  message.error_number = fd < 0 ? errno : 0;
  cmsghdr* header = CMSG_FIRSTHDR(&message.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (fd < 0) message.message.msg_controllen = 0;
  ::sendmsg(channel, &message.message, 0);
  ::_exit(0);
}

// The descriptor that the child sent, or its errno.
Result<Fd> ReceiveConnection(int channel, std::string_view tried) {
  FdMessage message;
  if (::recvmsg(channel, &message.message, MSG_CMSG_CLOEXEC) <= 0) {
    return SystemFailure(tried, errno);
  }
  const cmsghdr* header = CMSG_FIRSTHDR(&message.message);
  if (header == nullptr) return SystemFailure(tried, message.error_number);
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

}  // namespace

Result<Fd> ConnectAsSeenBy(pid_t pid, uint16_t port) {
  Namespaces namespaces;
  PLECTL_ASSIGN_OR_RETURN(namespaces.user, OpenUnlessOurs(pid, "user"));
  PLECTL_ASSIGN_OR_RETURN(namespaces.network, OpenUnlessOurs(pid, "net"));
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return SystemFailure("socketpair", errno);
  }
  const Fd ours(pair[0]);
  Fd theirs(pair[1]);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(port);
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  const pid_t child = ::fork();
  if (child < 0) return SystemFailure("fork", errno);
  if (child == 0) SendConnection(theirs.get(), namespaces, address);
  theirs.Reset();
  Result<Fd> connection = ReceiveConnection(
      ours.get(), fmt::format("connect to the emulator's display, port {}", port));
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return connection;
}

Result<Fd> ConnectToSocketFile(const std::filesystem::path& directory, std::string_view name) {
  PLECTL_ASSIGN_OR_RETURN(const Fd place, OpenFile(directory, O_PATH | O_DIRECTORY));
  const std::string path = fmt::format("/proc/self/fd/{}/{}", place.get(), name);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Internal("a socket's name is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connection.valid() && ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address),
                                      sizeof address) == 0) {
    return connection;
  }
  return SystemFailure(
      fmt::format("connect to the emulator's display {}/{}", directory.string(), name), errno);
}

}  // namespace plectl::lab
