// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/tls_libraries.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "host_tools/base/fd.h"
#include "host_tools/base/file.h"

extern "C" const char plectl_libssl_shim_begin[];
extern "C" const char plectl_libssl_shim_end[];
extern "C" const char plectl_libcrypto_shim_begin[];
extern "C" const char plectl_libcrypto_shim_end[];

namespace plectl::metrics {
namespace {

Result<Fd> FileWith(const char* name, std::string_view bytes) {
  Fd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file.valid()) return SystemFailure(fmt::format("make a file for {}", name), errno);
  PLECTL_RETURN_IF_ERROR(WriteAll(file.get(), bytes));
  return file;
}

// From then on dlopen() of the library's SONAME finds it.
Status Load(const Fd& library) {
  const std::string path = fmt::format("/proc/self/fd/{}", library.get());
  if (::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return OkStatus();
  // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps it per thread
  return Environment(fmt::format("load OpenSSL to serve TLS: {}", ::dlerror()), "install libssl3");
}

}  // namespace

Status LoadTlsLibraries() {
  // Both are open until both are loaded: the loader knows a library again by its path.
  PLECTL_ASSIGN_OR_RETURN(const Fd crypto, FileWith("libcrypto.so", {plectl_libcrypto_shim_begin,
                                                                     plectl_libcrypto_shim_end}));
  PLECTL_ASSIGN_OR_RETURN(
      const Fd ssl, FileWith("libssl.so", {plectl_libssl_shim_begin, plectl_libssl_shim_end}));
  PLECTL_RETURN_IF_ERROR(Load(crypto));
  return Load(ssl);
}

}  // namespace plectl::metrics
