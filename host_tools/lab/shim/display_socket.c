/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the emulator where network namespaces are not allowed: its display, which would
 * listen on all addresses of the machine, becomes a socket file in its working directory that only
 * its user may open. plectl checks afterwards that this worked.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define VISIBLE __attribute__((visibility("default")))

/* Takes the place of the TCP socket `fd`; the mode is that of the file from its first moment on. */
static int bind_to_file(int fd) {
  const struct sockaddr_un file = {AF_UNIX, "display.sock"};
  const int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int result;

  if (local < 0) return -1;
  result = fchmod(local, S_IRUSR | S_IWUSR);
  if (result == 0) result = (int)syscall(SYS_bind, local, &file, (socklen_t)sizeof(file));
  if (result == 0 && dup2(local, fd) < 0) result = -1;
  close(local);
  return result;
}

VISIBLE int bind(int fd, const struct sockaddr* address, socklen_t size) {
  if (size >= sizeof(sa_family_t) &&
      (address->sa_family == AF_INET || address->sa_family == AF_INET6)) {
    return bind_to_file(fd);
  }
  return (int)syscall(SYS_bind, fd, address, size);
}

/* A socket file knows nothing of TCP; nothing is lost when Nagle's algorithm is not off. */
VISIBLE int setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
  const int result = (int)syscall(SYS_setsockopt, fd, level, name, value, size);

  if (result != 0 && level == IPPROTO_TCP && errno == EOPNOTSUPP) return 0;
  return result;
}
