/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the emulator where network namespaces are not allowed: what it would bind to all
 * addresses it binds to 127.0.0.1. plectl checks afterwards that this worked.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) int bind(int fd, const struct sockaddr* address,
                                                socklen_t size) {
  struct sockaddr_in local;

  if (size >= sizeof(local) && address->sa_family == AF_INET) {
    memcpy(&local, address, sizeof(local));
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return (int)syscall(SYS_bind, fd, &local, sizeof(local));
  }
  return (int)syscall(SYS_bind, fd, address, size);
}
