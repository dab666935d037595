// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host_tools/base/result.h"

namespace plectl::bench {

// A program's own flags, in the form of Google Benchmark's: --NAME=VALUE. Each is bound to a
// variable, which holds its default until Parse(), and must outlive this.
class Flags {
 public:
  // A whole number in [min, max].
  void Add(std::string name, std::string help, uint64_t& value, uint64_t min, uint64_t max);
  // Such numbers, separated by commas; at least one.
  void Add(std::string name, std::string help, std::vector<uint64_t>& values, uint64_t min,
           uint64_t max);
  void Add(std::string name, std::string help, std::string& text);

  // BadInput that says which argument is wrong and what there is. `arguments` without the program.
  Status Parse(const std::vector<std::string_view>& arguments) const;
  // One line per flag, with its default.
  [[nodiscard]] std::string Help() const;

 private:
  struct Flag {
    std::string name;
    std::string help;
    std::string default_text;
    std::function<Status(std::string_view)> set;
  };
  Status ParseOne(std::string_view argument) const;

  std::vector<Flag> flags_;
};

}  // namespace plectl::bench
