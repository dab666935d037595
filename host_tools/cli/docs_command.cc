// SPDX-License-Identifier: Apache-2.0
#include "host_tools/cli/docs_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/text.h"
#include "host_tools/base/utf8.h"

namespace plectl::cli {
namespace {

struct Page {
  const char* name;  // "lab.md", "quickstart.yaml"
  const char* text;
  uint64_t size;

  [[nodiscard]] std::string_view Text() const { return {text, size}; }
};

}  // namespace
}  // namespace plectl::cli

// From cmake/PlectlDocs.cmake, sorted by name within each kind.
extern "C" const plectl::cli::Page plectl_docs[];
extern "C" const plectl::cli::Page plectl_docs_end[];

namespace plectl::cli {
namespace {

std::span<const Page> Pages() { return {plectl_docs, plectl_docs_end}; }

// "lab" of "lab.md"; plans and units keep their suffix.
std::string_view ShortName(const Page& page) {
  std::string_view name = page.name;
  if (name.ends_with(".md")) name.remove_suffix(3);
  return name;
}

// The first line but the licence's, without the marks of a heading or comment.
std::string_view Title(const Page& page) {
  std::string_view text = page.Text();
  if (text.starts_with("# SPDX")) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.substr(std::min(line.find_first_not_of("# "), line.size()));
}

void ListPages() {
  for (const Page& page : Pages()) fmt::print("{:<24}{}\n", ShortName(page), Title(page));
}

Status PrintPage(const std::string& name) {
  for (const Page& page : Pages()) {
    if (name != page.name && name != ShortName(page)) continue;
    fmt::print("{}", page.Text());
    return OkStatus();
  }
  std::vector<std::string_view> names;
  for (const Page& page : Pages()) names.push_back(ShortName(page));
  return BadInput(
      fmt::format("there is no page {}{}", Printable(name), SuggestionText(name, names)),
      "plectl docs lists the pages");
}

Status Docs(const std::string& name) {
  if (!name.empty()) return PrintPage(name);
  ListPages();
  return OkStatus();
}

}  // namespace

void AddDocsCommand(CLI::App& app, CommandContext& context) {
  auto name = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("docs", "Print a page of the documentation, a plan or a systemd unit");
  command->add_option("page", *name, "Its name; without one all are listed");
  command->footer(
      "Examples: plectl docs lab\n"
      "          plectl docs quickstart.yaml >plan.yaml");
  command->callback([&context, name] { context.exit_code = ExitCodeOf(Docs(*name)); });
}

}  // namespace plectl::cli
