// SPDX-License-Identifier: Apache-2.0
#include "host_tools/output/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "host_tools/base/text.h"

namespace plectl::output {
namespace {

constexpr std::string_view kColumnGap = "  ";
constexpr int kSignificantDigits = 3;
constexpr int kDecimalsMax = 9;

std::vector<size_t> Widths(const TextTable& table) {
  std::vector<size_t> widths;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    size_t width = table.columns[i].title.size();
    for (const auto& row : table.rows) width = std::max(width, row[i].size());
    widths.push_back(width);
  }
  return widths;
}

std::string Line(const TextTable& table, const std::vector<std::string>& cells) {
  const std::vector<size_t> widths = Widths(table);
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += kColumnGap;
    line += table.columns[i].right_aligned ? fmt::format("{:>{}}", cells[i], widths[i])
                                           : fmt::format("{:<{}}", cells[i], widths[i]);
  }
  return std::string(TrimRight(line)) + '\n';
}

std::string WithThousands(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

}  // namespace

std::string TextTable::Text() const {
  std::vector<std::string> titles;
  std::vector<std::string> dashes;
  const std::vector<size_t> widths = Widths(*this);
  for (size_t i = 0; i < columns.size(); ++i) {
    titles.push_back(columns[i].title);
    dashes.emplace_back(widths[i], '-');
  }
  std::string text = Line(*this, titles) + Line(*this, dashes);
  for (const auto& row : rows) text += Line(*this, row);
  return text;
}

std::string ReadableNumber(double value) {
  const double size = std::abs(value);
  if (size >= 1000 || value == std::trunc(value)) return WithThousands(value);
  const int whole_digits = static_cast<int>(std::floor(std::log10(size))) + 1;
  return fmt::format("{:.{}f}", value,
                     std::clamp(kSignificantDigits - whole_digits, 0, kDecimalsMax));
}

}  // namespace plectl::output
