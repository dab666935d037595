// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace plectl::metrics {
namespace {

constexpr const char* kFile = "libcurl.so.4";
constexpr const char* kHint = "install libcurl4";

// False when there is no such function.
template <class Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<CurlLibrary> LoadCurl() {
  void* library = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps it per thread
    return Environment(fmt::format("load {}: {}", kFile, ::dlerror()), kHint);
  }
  CurlLibrary curl;
  const bool complete = Find(library, "curl_global_init", curl.global_init) &&
                        Find(library, "curl_easy_init", curl.easy_init) &&
                        Find(library, "curl_easy_setopt", curl.easy_setopt) &&
                        Find(library, "curl_easy_perform", curl.easy_perform) &&
                        Find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
                        Find(library, "curl_easy_strerror", curl.easy_strerror) &&
                        Find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
                        Find(library, "curl_slist_append", curl.slist_append) &&
                        Find(library, "curl_slist_free_all", curl.slist_free_all);
  if (!complete || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Environment(fmt::format("{} is not the libcurl that plectl was built with", kFile),
                       kHint);
  }
  return curl;
}

}  // namespace plectl::metrics
