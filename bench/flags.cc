// SPDX-License-Identifier: Apache-2.0
#include "bench/flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "host_tools/base/text.h"

namespace plectl::bench {
namespace {

Result<uint64_t> ParseNumber(std::string_view text, uint64_t min, uint64_t max) {
  const std::optional<uint64_t> number = ParseUint(text);
  if (number && *number >= min && *number <= max) return *number;
  return BadInput(fmt::format("\"{}\" is no number from {} to {}", text, min, max));
}

}  // namespace

void Flags::Add(std::string name, std::string help, uint64_t& value, uint64_t min, uint64_t max) {
  const auto set = [&value, min, max](std::string_view text) -> Status {
    PLECTL_ASSIGN_OR_RETURN(value, ParseNumber(text, min, max));
    return OkStatus();
  };
  flags_.push_back({std::move(name), std::move(help), std::to_string(value), set});
}

void Flags::Add(std::string name, std::string help, std::vector<uint64_t>& values, uint64_t min,
                uint64_t max) {
  const auto set = [&values, min, max](std::string_view text) -> Status {
    std::vector<uint64_t> parsed;
    for (const std::string_view part : Split(text, ',')) {
      PLECTL_ASSIGN_OR_RETURN(const uint64_t number, ParseNumber(part, min, max));
      parsed.push_back(number);
    }
    values = std::move(parsed);
    return OkStatus();
  };
  flags_.push_back(
      {std::move(name), std::move(help), fmt::format("{}", fmt::join(values, ",")), set});
}

void Flags::Add(std::string name, std::string help, std::string& text) {
  const auto set = [&text](std::string_view value) -> Status {
    text = value;
    return OkStatus();
  };
  flags_.push_back({std::move(name), std::move(help), text, set});
}

Status Flags::Parse(const std::vector<std::string_view>& arguments) const {
  for (const std::string_view argument : arguments) {
    if (const Status parsed = ParseOne(argument); !parsed) {
      return Fail(WithContext(argument, parsed.error()));
    }
  }
  return OkStatus();
}

Status Flags::ParseOne(std::string_view argument) const {
  const size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  const auto is_it = [name](const Flag& flag) { return name == "--" + flag.name; };
  const auto flag = std::ranges::find_if(flags_, is_it);
  if (flag == flags_.end()) return BadInput("there is no such flag", "--help lists them");
  if (equals == std::string_view::npos) {
    return BadInput("no value", fmt::format("write --{}=VALUE", flag->name));
  }
  return flag->set(argument.substr(equals + 1));
}

std::string Flags::Help() const {
  std::string text;
  for (const Flag& flag : flags_) {
    text += fmt::format("  --{}={}\n      {}\n", flag.name, flag.default_text, flag.help);
  }
  return text;
}

}  // namespace plectl::bench
