// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace plectl::lab {

// `text` with everything but printable ASCII and tabs replaced by '?', so that nothing of the lab
// can steer the user's terminal.
std::string Printable(std::string_view text);

// The last lines of the lab's console, and whether its kernel panicked. Memory is bounded whatever
// the console says.
class Console {
 public:
  static constexpr size_t kLinesMax = 20;
  static constexpr size_t kPanicLinesMax = 120;  // the panic itself and its call trace
  static constexpr size_t kLineSizeMax = 200;

  // Called with each finished line, made printable. Optional.
  void set_on_line(std::function<void(std::string_view)> on_line) { on_line_ = std::move(on_line); }
  void Feed(std::string_view bytes);
  [[nodiscard]] bool panicked() const { return panicked_; }
  // The last lines, after a panic from shortly before it on; made printable, each indented by two
  // blanks and ended by a newline; "" when there were none.
  [[nodiscard]] std::string Tail() const;

 private:
  void FinishLine();
  std::function<void(std::string_view)> on_line_;
  std::deque<std::string> lines_;
  std::string current_;
  bool panicked_ = false;
};

}  // namespace plectl::lab
