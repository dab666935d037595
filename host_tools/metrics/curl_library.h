// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include "host_tools/base/result.h"

namespace plectl::metrics {

// The functions of libcurl that a push needs. It is loaded when they are asked for: as a library of
// plectl it would bring 40 others with it, into each start and into the lab's image.
struct CurlLibrary {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
};

// Loads libcurl.so.4 for the rest of the process. Environment error when it is not installed.
Result<CurlLibrary> LoadCurl();

}  // namespace plectl::metrics
