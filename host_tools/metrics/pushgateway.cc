// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/pushgateway.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "host_tools/base/text.h"
#include "host_tools/metrics/basic_auth.h"
#include "host_tools/metrics/curl_library.h"

namespace plectl::metrics {
namespace {

constexpr size_t kAnswerBytesMax = 4096;  // enough for what a gateway has to say
constexpr long kHttpOk = 200;
constexpr long kHttpAccepted = 202;  // an older gateway that has queued it

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

// URL-safe base64 without padding; "=" alone for an empty text, as the gateway wants it.
std::string Base64Url(const std::string& text) {
  if (text.empty()) return "=";
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  encoded.resize(static_cast<size_t>(length));
  std::ranges::replace(encoded, '+', '-');
  std::ranges::replace(encoded, '/', '_');
  return encoded.substr(0, encoded.find('='));
}

// "." and ".." would be steps of the path.
std::string PathPart(const std::string& key, const std::string& value) {
  const bool plain = !value.empty() && std::ranges::all_of(value, IsUnreserved) &&
                     value.find_first_not_of('.') != std::string::npos;
  return plain ? fmt::format("/{}/{}", key, value)
               : fmt::format("/{}@base64/{}", key, Base64Url(value));
}

// One request with libcurl.
class PushRequest {
 public:
  PushRequest(const CurlLibrary& curl, const PushOptions& options)
      : curl_(curl), options_(options), handle_(curl.easy_init(), curl.easy_cleanup) {}

  Status Put(const std::string& text, const std::optional<Credentials>& credentials) {
    if (!handle_) return Internal("libcurl has no memory");
    SetLimits();
    const Headers headers(
        curl_.slist_append(nullptr, "Content-Type: text/plain; version=0.0.4; charset=utf-8"),
        curl_.slist_free_all);
    Set(CURLOPT_HTTPHEADER, headers.get());
    const std::string url = GroupUrl(options_);
    Set(CURLOPT_URL, url.c_str());
    Set(CURLOPT_CUSTOMREQUEST, "PUT");
    Set(CURLOPT_POSTFIELDS, text.c_str());
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
    if (credentials) {
      Set(CURLOPT_HTTPAUTH, long{CURLAUTH_BASIC});
      Set(CURLOPT_USERNAME, credentials->user.c_str());
      Set(CURLOPT_PASSWORD, credentials->password.c_str());
    }
    return StatusOf(curl_.easy_perform(handle_.get()));
  }

 private:
  using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

  template <class Value>
  void Set(CURLoption option, Value value) {
    curl_.easy_setopt(handle_.get(), option, value);
  }

  void SetLimits() {
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    Set(CURLOPT_ERRORBUFFER, message_.data());
    Set(CURLOPT_WRITEDATA, &answer_);
    Set(CURLOPT_WRITEFUNCTION, &Keep);
  }

  // Of a long answer the rest is read, but not kept.
  static size_t Keep(const char* bytes, size_t size, size_t count, std::string* answer) {
    const size_t room = kAnswerBytesMax - std::min(answer->size(), kAnswerBytesMax);
    answer->append(bytes, std::min(size * count, room));
    return size * count;
  }

  Status StatusOf(CURLcode code) {
    if (code != CURLE_OK) {
      const std::string_view said = message_.data();
      return Environment(fmt::format("push to {}: {}", options_.url,
                                     said.empty() ? curl_.easy_strerror(code) : said),
                         "is the Pushgateway up, and the URL its own?");
    }
    long http = 0;
    curl_.easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &http);
    if (http == kHttpOk || http == kHttpAccepted) return OkStatus();
    return Environment(fmt::format("push to {}: it answered {}: {}", options_.url, http,
                                   answer_.empty() ? "nothing" : TrimRight(answer_)),
                       http == 401 ? "give --basic-auth-file" : "");
  }

  const CurlLibrary& curl_;
  const PushOptions& options_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  std::string answer_;
};

}  // namespace

Status CheckPushUrl(std::string_view url) {
  const size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  const bool has_host = scheme > 0 && url.size() > scheme && url[scheme] != '/';
  if (has_host && url.find_first_of("@?# \t\r\n") == std::string_view::npos) return OkStatus();
  return BadInput(fmt::format("\"{}\" is not the URL of a Pushgateway", url),
                  "give http://HOST:PORT, as in http://127.0.0.1:9091");
}

Result<Label> ParseGrouping(std::string_view text) {
  const size_t equals = text.find('=');
  const std::string_view key = text.substr(0, equals);
  if (equals == std::string_view::npos || !IsLabelName(key) || key == "job") {
    return BadInput(fmt::format("\"{}\" is not KEY=VALUE with a label's name for a key", text),
                    "e.g. instance=host7; \"job\" is always plectl");
  }
  return Label{std::string(key), std::string(text.substr(equals + 1))};
}

std::string GroupUrl(const PushOptions& options) {
  std::string url = options.url.substr(0, options.url.find_last_not_of('/') + 1) + "/metrics";
  url += PathPart("job", options.job);
  for (const Label& label : options.grouping) url += PathPart(label.name, label.value);
  return url;
}

Status Push(const PushOptions& options, const std::string& text) {
  PLECTL_RETURN_IF_ERROR(CheckPushUrl(options.url));
  std::optional<Credentials> credentials;
  if (!options.basic_auth_file.empty()) {
    PLECTL_ASSIGN_OR_RETURN(credentials, LoadCredentials(options.basic_auth_file));
  }
  PLECTL_ASSIGN_OR_RETURN(const CurlLibrary curl, LoadCurl());
  return PushRequest(curl, options).Put(text, credentials);
}

}  // namespace plectl::metrics
