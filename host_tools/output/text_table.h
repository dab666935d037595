// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace plectl::output {

// A table of ASCII text: its columns are as wide as their widest cell and two spaces apart.
struct TextTable {
  struct Column {
    std::string title;
    bool right_aligned = false;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // one cell per column

  // Lines without trailing spaces; a line of dashes below the titles.
  [[nodiscard]] std::string Text() const;
  // The same with titles in several lines, which need not be wider than the cells below them.
  [[nodiscard]] std::string NarrowText() const;
  // Of the longest line of Text().
  [[nodiscard]] size_t Width() const;
};

// "1,234,567" for whole numbers and those of at least 1000, else three significant digits
// ("0.0123"); in exponent form only from 1e21 on. `value` is finite.
std::string ReadableNumber(double value);

}  // namespace plectl::output
