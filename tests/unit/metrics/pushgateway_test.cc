// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/pushgateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

#include "host_tools/base/clock.h"
#include "host_tools/base/fd.h"
#include "host_tools/base/file.h"

namespace plectl::metrics {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

PushOptions Options(std::string url, Labels grouping = {}) {
  PushOptions options;
  options.url = std::move(url);
  options.job = "plectl";
  options.grouping = std::move(grouping);
  return options;
}

TEST(GroupUrl, NamesTheGroup) {
  EXPECT_EQ(GroupUrl(Options("http://h:9091", {{"instance", "h"}, {"run", "quick-start_1.2~"}})),
            "http://h:9091/metrics/job/plectl/instance/h/run/quick-start_1.2~");
  EXPECT_EQ(GroupUrl(Options("http://h/prefix//")), "http://h/prefix/metrics/job/plectl");
}

TEST(GroupUrl, EncodesWhatAPathCannotHold) {
  EXPECT_EQ(
      GroupUrl(Options("http://h", {{"a", "x/y"}, {"b", ""}, {"c", ".."}, {"d", "\xFF\xFF"}})),
      "http://h/metrics/job/plectl/a@base64/eC95/b@base64/=/c@base64/Li4/d@base64/__8");
}

TEST(CheckPushUrl, TakesHttpOnly) {
  for (const char* url : {"http://h", "https://h:9091/path", "http://[::1]:9091"}) {
    EXPECT_TRUE(CheckPushUrl(url)) << url;
  }
  for (const char* url : {"", "h:9091", "http://", "http:///x", "ftp://h", "file:///etc/passwd",
                          "http://user:secret@h", "http://h?a", "http://h#a", "http://h /"}) {
    EXPECT_EQ(CheckPushUrl(url).error().kind, ErrorKind::kBadInput) << url;
  }
}

TEST(ParseGrouping, WantsALabel) {
  EXPECT_EQ(ParseGrouping("ci=a=b").value(), (Label{"ci", "a=b"}));
  EXPECT_EQ(ParseGrouping("ci=").value(), (Label{"ci", ""}));
  for (const char* text : {"", "ci", "=a", "a-b=c", "job=x", "__a=b"}) {
    EXPECT_EQ(ParseGrouping(text).error().kind, ErrorKind::kBadInput) << text;
  }
}

// Accepts one connection and answers it with `answer`; without one it never answers.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
    if (answer.empty()) return;
    thread_ = std::thread([this, answer = std::move(answer)] {
      const Fd connection(::accept(listener_.get(), nullptr, nullptr));
      std::array<char, 4096> request{};
      const ssize_t got = ::read(connection.get(), request.data(), request.size());
      request_.assign(request.data(), static_cast<size_t>(std::max<ssize_t>(got, 0)));
      EXPECT_TRUE(WriteAll(connection.get(), answer));
    });
  }
  ~OneAnswer() { Join(); }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  [[nodiscard]] std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  const std::string& Request() {
    Join();
    return request_;
  }

 private:
  void Join() {
    if (thread_.joinable()) thread_.join();
  }
  Fd listener_;
  uint16_t port_ = 0;
  std::thread thread_;
  std::string request_;
};

TEST(Push, PutsTheText) {
  OneAnswer gateway("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const Status pushed = Push(Options(gateway.Url(), {{"run", "r"}}), "a 1\n");
  EXPECT_TRUE(pushed) << pushed.error().Text();
  EXPECT_THAT(gateway.Request(), AllOf(HasSubstr("PUT /metrics/job/plectl/run/r HTTP/1.1\r\n"),
                                       HasSubstr("\r\n\r\na 1\n")));
}

TEST(Push, SaysWhatTheGatewaySaid) {
  OneAnswer gateway("HTTP/1.1 400 Bad Request\r\nContent-Length: 13\r\n\r\nbad series x\n");
  const Status pushed = Push(Options(gateway.Url()), "a 1\n");
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(pushed.error().message, HasSubstr("it answered 400: bad series x"));
}

TEST(Push, WaitsNoLongerThanItMay) {
  const OneAnswer gateway("");
  PushOptions options = Options(gateway.Url());
  options.timeout = std::chrono::milliseconds(200);
  const Stopwatch waiting;
  const Status pushed = Push(options, "a 1\n");
  EXPECT_LT(waiting.ElapsedNs(), 5'000'000'000);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(pushed.error().message, HasSubstr("timed out"));
}

}  // namespace
}  // namespace plectl::metrics
