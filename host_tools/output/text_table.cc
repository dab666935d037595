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

// One for each column.
using Row = std::vector<std::string>;

std::vector<size_t> Widths(const TextTable& table, const std::vector<Row>& titles) {
  std::vector<size_t> widths(table.columns.size());
  for (const std::vector<Row>* rows : {&titles, &table.rows}) {
    for (const Row& row : *rows) {
      for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
  }
  return widths;
}

std::string Line(const TextTable& table, const Row& cells, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += kColumnGap;
    line += table.columns[i].right_aligned ? fmt::format("{:>{}}", cells[i], widths[i])
                                           : fmt::format("{:<{}}", cells[i], widths[i]);
  }
  return std::string(TrimRight(line)) + '\n';
}

std::string Render(const TextTable& table, const std::vector<Row>& titles) {
  const std::vector<size_t> widths = Widths(table, titles);
  Row dashes;
  for (const size_t width : widths) dashes.emplace_back(width, '-');
  std::string text;
  for (const Row& line : titles) text += Line(table, line, widths);
  text += Line(table, dashes, widths);
  for (const Row& row : table.rows) text += Line(table, row, widths);
  return text;
}

Row Titles(const TextTable& table) {
  Row titles;
  for (const TextTable::Column& column : table.columns) titles.push_back(column.title);
  return titles;
}

// Where the first piece of a title ends: after a blank, or after a slash or underscore between two
// long words.
size_t PieceEnd(std::string_view title) {
  for (size_t end = 1; end < title.size(); ++end) {
    const char last = title[end - 1];
    if (last == ' ') return end;
    if ((last == '/' || last == '_') && end > 4 && title.size() - end >= 4) return end;
  }
  return title.size();
}

// The title in as few lines as fit `width`.
std::vector<std::string> Wrap(std::string_view title, size_t width) {
  std::vector<std::string> lines;
  while (!title.empty()) {
    const size_t end = PieceEnd(title);
    const std::string_view word = title.substr(0, end);
    title.remove_prefix(end);
    if (lines.empty() || TrimRight(lines.back() + std::string(word)).size() > width) {
      lines.emplace_back(word);
    } else {
      lines.back() += word;
    }
  }
  for (std::string& line : lines) line = std::string(TrimRight(line));
  return lines;
}

// As wide as the longest cell or piece of the title, whichever is longer.
size_t NarrowWidth(const TextTable& table, size_t column) {
  size_t width = 0;
  for (const std::string& piece : Wrap(table.columns[column].title, 0)) {
    width = std::max(width, piece.size());
  }
  for (const Row& row : table.rows) width = std::max(width, row[column].size());
  return width;
}

std::string WithThousands(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

}  // namespace

std::string TextTable::Text() const { return Render(*this, {Titles(*this)}); }

std::string TextTable::NarrowText() const {
  std::vector<std::vector<std::string>> wrapped;
  size_t lines = 1;
  for (size_t i = 0; i < columns.size(); ++i) {
    wrapped.push_back(Wrap(columns[i].title, NarrowWidth(*this, i)));
    lines = std::max(lines, wrapped.back().size());
  }
  std::vector<Row> titles(lines, Row(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const size_t first = lines - wrapped[i].size();  // all end on the line above the dashes
    for (size_t k = 0; k < wrapped[i].size(); ++k) titles[first + k][i] = wrapped[i][k];
  }
  return Render(*this, titles);
}

size_t TextTable::Width() const {
  size_t width = 0;
  for (const size_t column : Widths(*this, {Titles(*this)})) width += column + kColumnGap.size();
  return width == 0 ? 0 : width - kColumnGap.size();
}

std::string ReadableNumber(double value) {
  const double size = std::abs(value);
  constexpr double kLegibleMax = 1e21;  // above all counts of 64 bits
  if (size >= kLegibleMax) return fmt::format("{:.3g}", value);
  if (size >= 1000 || value == std::trunc(value)) return WithThousands(value);
  const int whole_digits = static_cast<int>(std::floor(std::log10(size))) + 1;
  return fmt::format("{:.{}f}", value,
                     std::clamp(kSignificantDigits - whole_digits, 0, kDecimalsMax));
}

}  // namespace plectl::output
