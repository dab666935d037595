// SPDX-License-Identifier: Apache-2.0
#include "host_tools/experiment/run_log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "host_tools/base/given_file.h"
#include "host_tools/experiment/line_blocks.h"
#include "host_tools/experiment/plain_text.h"
#include "host_tools/experiment/run_log.h"
#include "host_tools/experiment/run_log_line.h"
#include "host_tools/experiment/run_log_merge.h"

namespace plectl::experiment {
namespace {

constexpr size_t kThreadsMax = 4;
constexpr size_t kLinesGuessMax = 1024;

// What the lines of a block say, up to the first that is wrong.
struct Parsed {
  struct Line {
    size_t number = 0;  // in the block, from 0
    LinePlace place;
    RunLogLine says;
  };
  std::vector<Line> lines;  // those that are not empty
  size_t line_count = 0;
  std::optional<Error> error;  // of the last one counted
};

Parsed ParseLines(std::string_view text, uint64_t offset, TrialParts parts) {
  Parsed parsed;
  // Records of one log are about as long as each other.
  const size_t first_bytes = std::min(text.find('\n'), text.size()) + 1;
  parsed.lines.reserve(std::min(text.size() / first_bytes + 1, kLinesGuessMax));
  FastJson parser;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    Result<RunLogLine> says =
        ParseRunLogLine(text.substr(0, end), parts, parser, text.size() - end);
    ++parsed.line_count;
    if (!says) {
      parsed.error = std::move(says).error();
      return parsed;
    }
    if (!std::holds_alternative<std::monostate>(*says)) {
      parsed.lines.push_back({parsed.line_count - 1, {offset, end}, *std::move(says)});
    }
    offset += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parsed;
}

Parsed ParseBlock(const LineBlock& block, TrialParts parts) {
  if (block.too_long_bytes == 0) return ParseLines(block.lines, block.offset, parts);
  Parsed parsed;
  parsed.line_count = 1;
  parsed.error =
      Error{ErrorKind::kBadInput, fmt::format("longer than {} bytes", kRunLogLineBytesMax), {}};
  return parsed;
}

// In a thread of its own, or when it is asked for where there can be none.
std::future<Parsed> ParseLater(LineBlock block, TrialParts parts, bool in_thread) {
  const auto shared = std::make_shared<const LineBlock>(std::move(block));
  const auto parse = [shared, parts] { return ParseBlock(*shared, parts); };
  if (in_thread) {
    try {
      return std::async(std::launch::async, parse);
    } catch (const std::system_error&) {  // no more threads: the same, one after the other
    }
  }
  return std::async(std::launch::deferred, parse);
}

bool IsCompressed(std::string_view start) {
  constexpr std::string_view kMagics[] = {"\x1f\x8b",
                                          "\xfd"
                                          "7zXZ",
                                          "\x28\xb5\x2f\xfd", "BZh"};
  return std::ranges::any_of(kMagics,
                             [start](std::string_view magic) { return start.starts_with(magic); });
}

// Merges what was parsed and counts the lines of the log.
class Merging {
 public:
  // `start` is that of the file.
  Merging(RunLogMerge& merge, std::string_view file_name, std::string_view start)
      : merge_(merge), file_name_(file_name), start_(start) {}

  Status Add(Parsed parsed) {
    for (Parsed::Line& line : parsed.lines) {
      if (Status added = merge_.Add(std::move(line.says), line.place); !added) {
        return Fail(AtLine(line.number, added.error()));
      }
    }
    if (parsed.error) return Fail(AtLine(parsed.line_count - 1, *parsed.error));
    lines_ += parsed.line_count;
    return OkStatus();
  }

  [[nodiscard]] std::string TornNote(uint64_t bytes) const {
    return fmt::format("{}:{}: a torn last line of {} bytes was dropped", file_name_, lines_ + 1,
                       bytes);
  }

 private:
  [[nodiscard]] Error AtLine(size_t number, Error error) const {
    if (error.hint.empty()) error.hint = Hint();
    return WithContext(fmt::format("{}:{}", file_name_, lines_ + number + 1), std::move(error));
  }

  // A file whose very first line is no JSON was never a run log.
  [[nodiscard]] std::string Hint() const {
    if (!merge_.is_empty()) return "repair or remove the line";
    if (IsCompressed(start_)) {
      return "unpack it first: it looks like the output of gzip, xz, zstd or bzip2";
    }
    if (LooksLikeUtf16(start_)) return std::string(kFromUtf16);
    return "if this is no run log: give the folder of a run, or its run.jsonl (a plan is measured "
           "by plectl sweep)";
  }

  RunLogMerge& merge_;
  std::string_view file_name_;
  std::string_view start_;
  size_t lines_ = 0;
};

Status MergeFile(LineBlocks& blocks, TrialParts parts, Merging& merging) {
  const size_t threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kThreadsMax);
  std::deque<std::future<Parsed>> parsing;
  for (bool more = true; more || !parsing.empty();) {
    PLECTL_ASSIGN_OR_RETURN(std::optional<LineBlock> block, blocks.Next());
    more = block.has_value();
    if (more) parsing.push_back(ParseLater(*std::move(block), parts, threads > 1));
    if (parsing.empty() || (more && parsing.size() <= threads)) continue;
    PLECTL_RETURN_IF_ERROR(merging.Add(parsing.front().get()));
    parsing.pop_front();
  }
  return OkStatus();
}

// What is named itself may be a pipe. In a folder it would never end, or be waited for.
Status CheckIsFile(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  // What cannot be looked at is told by opening it.
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) {
    return OkStatus();
  }
  return BadInput(fmt::format("{} is no file", file.string()),
                  "give the DIR that plectl sweep PLAN --out DIR filled");
}

}  // namespace

Result<RunLogHead> ReadRunLog(const std::filesystem::path& path, TrialSink& sink) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  const std::filesystem::path file = is_folder ? path / kRunLogFileName : path;
  if (is_folder) PLECTL_RETURN_IF_ERROR(CheckIsFile(file));
  Result<LineBlocks> blocks = LineBlocks::Open(file, kRunLogLineBytesMax);
  if (!blocks) {
    return CannotReadGiven(file, blocks.error(), "give the folder of a run, or its run.jsonl");
  }
  const std::string name = file.string();
  PLECTL_ASSIGN_OR_RETURN(const std::string start, blocks->ReadStart());
  std::vector<FailedControl> failed;
  while (true) {
    RunLogMerge merge(sink, failed);
    Merging merging(merge, name, start);
    PLECTL_RETURN_IF_ERROR(MergeFile(*blocks, sink.parts(), merging));
    if (!merge.must_restart()) {
      RunLogHead head = merge.Take();
      head.complete_bytes = blocks->complete_bytes();
      if (blocks->torn_bytes() > 0) head.notes.push_back(merging.TornNote(blocks->torn_bytes()));
      return head;
    }
    failed = merge.TakeFailed();
    PLECTL_RETURN_IF_ERROR(blocks->Rewind());
    sink.Restart();
  }
}

Result<RunLogHead> ReadRunLogText(std::string_view text, std::string_view file_name,
                                  TrialSink& sink) {
  const std::string_view whole = text.substr(0, text.rfind('\n') + 1);  // npos + 1 is 0
  std::vector<FailedControl> failed;
  while (true) {
    RunLogMerge merge(sink, failed);
    Merging merging(merge, file_name, text);
    PLECTL_RETURN_IF_ERROR(merging.Add(ParseLines(whole, 0, sink.parts())));
    if (!merge.must_restart()) {
      RunLogHead head = merge.Take();
      head.complete_bytes = whole.size();
      if (whole.size() < text.size()) {
        head.notes.push_back(merging.TornNote(text.size() - whole.size()));
      }
      return head;
    }
    failed = merge.TakeFailed();
    sink.Restart();
  }
}

}  // namespace plectl::experiment
