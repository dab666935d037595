// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/console.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace plectl::lab {
namespace {

constexpr std::string_view kPanic = "Kernel panic";  // kernel/panic.c: "Kernel panic - not syncing"

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable(text);
  const auto is_unprintable = [](char c) { return (c < ' ' || c > '~') && c != '\t'; };
  std::replace_if(printable.begin(), printable.end(), is_unprintable, '?');
  return printable;
}

void Console::Feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      FinishLine();
    } else if (c != '\r' && current_.size() < kLineSizeMax) {
      current_.push_back(c);
    }
  }
}

void Console::FinishLine() {
  if (current_.find(kPanic) != std::string::npos) panicked_ = true;
  const std::string line = Printable(std::exchange(current_, {}));
  if (on_line_) on_line_(line);
  if (panicked_ && lines_.size() >= kPanicLinesMax) return;
  lines_.push_back(line);
  if (!panicked_ && lines_.size() > kLinesMax) lines_.pop_front();
}

std::string Console::Tail() const {
  std::string tail;
  for (const std::string& line : lines_) tail += fmt::format("  {}\n", line);
  if (!current_.empty()) tail += fmt::format("  {}\n", Printable(current_));
  return tail;
}

}  // namespace plectl::lab
