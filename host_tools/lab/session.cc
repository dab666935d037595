// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/session.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>

#include "host_tools/base/stop.h"
#include "host_tools/base/text.h"
#include "host_tools/lab/console.h"
#include "host_tools/lab/frame.h"

namespace plectl::lab {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr uint64_t kExitCodeMax = 255;
constexpr std::chrono::seconds kPanicGrace(2);  // for the rest of the kernel's message

milliseconds Since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

std::string_view NameOf(FrameType type) {
  switch (type) {
    case FrameType::kStdout:
      return "standard output";
    case FrameType::kStderr:
      return "standard error";
    case FrameType::kRecord:
    case FrameType::kRecordPart:
      return "a record";
    case FrameType::kExit:
      return "its exit code";
    case FrameType::kHello:
    case FrameType::kReady:
      break;
  }
  return "that it is up";
}

// Why the lab is given up when its time is over.
struct Deadline {
  Clock::time_point at;
  std::string why;
};

class Session {
 public:
  Session(Engine& engine, const LabOptions& options, LabObserver& observer, std::string_view job)
      : engine_(engine),
        deadlines_(options.deadlines),
        observer_(observer),
        job_(Printable(job)),
        instructions_per_s_(options.instructions_per_s) {
    deadlines_.boot *= CpusOf(options);  // they take turns
    polls_ = {{{engine.process().exit_fd(), POLLIN, 0},
               {engine.frames_fd(), POLLIN, 0},
               {engine.console_fd(), POLLIN, 0},
               {options.stop_fd, POLLIN, 0}}};
    console_.set_on_line([this](std::string_view line) { observer_.OnConsole(line); });
  }

  Result<LabOutcome> Run() {
    while (true) {
      PLECTL_ASSIGN_OR_RETURN(const bool ended, WaitForEvent());
      PLECTL_RETURN_IF_ERROR(ReadFrames());
      ReadConsole();
      if (ended) return Finish();
    }
  }

  Status RunUntilReady() {
    while (!ready_) {
      PLECTL_ASSIGN_OR_RETURN(const bool ended, WaitForEvent());
      PLECTL_RETURN_IF_ERROR(ReadFrames());
      ReadConsole();
      if (ended) return GiveUp("ended while it booted:\n" + engine_.LastOutput());
    }
    return OkStatus();
  }

 private:
  // True when the engine has ended.
  Result<bool> WaitForEvent() {
    const Deadline deadline = NextDeadline();
    const milliseconds left = std::chrono::ceil<milliseconds>(deadline.at - Clock::now());
    if (left.count() <= 0) return TimeIsOver(deadline);
    if (::poll(polls_.data(), polls_.size(), static_cast<int>(left.count())) < 0 &&
        errno != EINTR) {
      return SystemFailure("poll of the lab", errno);
    }
    PLECTL_RETURN_IF_ERROR(CheckNotStopped());
    if (polls_[3].revents != 0) return Inconclusive("the lab was stopped on request");
    return polls_[0].revents != 0;
  }

  [[nodiscard]] Deadline NextDeadline() const {
    const Deadline total{start_ + deadlines_.total,
                         fmt::format("ran for more than {} s", deadlines_.total.count())};
    const Deadline phase = PhaseDeadline();
    return total.at < phase.at ? total : phase;
  }

  [[nodiscard]] Deadline PhaseDeadline() const {
    if (panic_at_) return {*panic_at_ + kPanicGrace, "panicked"};
    if (exit_code_) return {last_frame_ + deadlines_.power_off, "did not power off"};
    if (!booted_) {
      return {start_ + deadlines_.boot,
              fmt::format("was not up after {} s", deadlines_.boot.count())};
    }
    return {last_frame_ + deadlines_.silence,
            fmt::format("sent nothing for {} s", deadlines_.silence.count())};
  }

  // Everything has come out when only the power-off is missing.
  Result<bool> TimeIsOver(const Deadline& deadline) {
    if (!exit_code_ || panic_at_) return GiveUp(deadline.why + WhereItWas());
    engine_.process().Kill();
    return true;
  }

  // What a hung lab was doing: its job, what it sent last, and how far its own time went, which
  // tells a slow lab from one that stands still. Ends the engine.
  std::string WhereItWas() {
    const std::optional<uint64_t> instructions = engine_.Interrupt();
    std::string text;
    if (instructions) {
      text += fmt::format(
          "; its clock stands at {:.1f} s",
          static_cast<double>(*instructions) / static_cast<double>(instructions_per_s_));
    }
    if (!booted_) return text;
    text += fmt::format("; the last thing it sent was {}", last_sent_);
    return job_.empty() ? text : text + fmt::format("; it ran: {}", job_);
  }

  Failure GiveUp(std::string_view why) const {
    std::string message = fmt::format("the lab {}", why);
    const std::string tail = console_.Tail();
    message += tail.empty() ? "; its console is empty" : "; its last console lines:\n" + tail;
    return Inconclusive(std::string(TrimRight(message)),
                        "run `plectl lab boot --console` to see its kernel messages");
  }

  Status ReadFrames() {
    std::array<char, 65536> buffer{};
    ssize_t count = 0;
    while ((count = ::read(engine_.frames_fd(), buffer.data(), buffer.size())) > 0) {
      decoder_.Feed(std::string_view(buffer.data(), static_cast<size_t>(count)));
      PLECTL_RETURN_IF_ERROR(TakeFrames());
    }
    return OkStatus();
  }

  Status TakeFrames() {
    while (true) {
      Result<std::optional<Frame>> frame = decoder_.Next();
      if (!frame) return GiveUp(frame.error().message);
      if (!*frame) return OkStatus();
      last_frame_ = Clock::now();
      last_sent_ = NameOf((*frame)->type);
      PLECTL_RETURN_IF_ERROR(Take(**frame));
    }
  }

  Status Take(const Frame& frame) {
    if (frame.type == FrameType::kHello) return TakeHello(frame.payload);
    if (frame.type == FrameType::kReady) return TakeReady();
    if (!booted_) return GiveUp("sent output before it was up");
    if (exit_code_) return GiveUp("sent output after the end of its job");
    if (frame.type == FrameType::kExit && record_.pending()) {
      return GiveUp("ended its job amid a record");
    }
    switch (frame.type) {
      case FrameType::kStdout:
        return observer_.OnStdout(frame.payload);
      case FrameType::kStderr:
        return observer_.OnStderr(frame.payload);
      case FrameType::kRecordPart:
        return TakeRecordPart(frame.payload);
      case FrameType::kRecord:
        return TakeRecord(frame.payload);
      default:
        return TakeExit(frame.payload);
    }
  }

  Status TakeRecordPart(std::string_view bytes) {
    if (const Status added = record_.AddPart(bytes); !added) return GiveUp(added.error().message);
    return OkStatus();
  }

  Status TakeRecord(std::string_view bytes) {
    Result<std::string> line = record_.Finish(bytes);
    if (!line) return GiveUp(line.error().message);
    return observer_.OnRecord(*line);
  }

  Status TakeHello(std::string_view payload) {
    if (booted_) return GiveUp("rebooted");
    booted_ = true;
    outcome_.boot_time = Since(start_);
    PLECTL_ASSIGN_OR_RETURN(const LabHello hello, HelloFromJson(payload));
    return observer_.OnBooted(hello, outcome_.boot_time);
  }

  Status TakeReady() {
    if (booted_ || ready_) return GiveUp("rebooted");
    ready_ = true;
    return OkStatus();
  }

  Status TakeExit(std::string_view payload) {
    const std::optional<uint64_t> code = ParseUint(payload);
    if (!code || *code > kExitCodeMax) return GiveUp("sent an exit code that is none");
    exit_code_ = static_cast<int>(*code);
    return OkStatus();
  }

  void ReadConsole() {
    std::array<char, 4096> buffer{};
    ssize_t count = 0;
    while ((count = ::read(engine_.console_fd(), buffer.data(), buffer.size())) > 0) {
      console_.Feed(std::string_view(buffer.data(), static_cast<size_t>(count)));
    }
    if (console_.panicked() && !panic_at_) panic_at_ = Clock::now();
  }

  Result<LabOutcome> Finish() {
    if (panic_at_) return GiveUp("panicked");
    if (!exit_code_) return GiveUp("ended before its job:\n" + engine_.LastOutput());
    outcome_.exit_code = *exit_code_;
    outcome_.total_time = Since(start_);
    outcome_.emulated_instructions = engine_.EmulatedInstructions();
    return outcome_;
  }

  Engine& engine_;
  LabDeadlines deadlines_;
  LabObserver& observer_;
  std::string job_;
  uint64_t instructions_per_s_;
  std::string_view last_sent_ = "nothing";
  std::array<pollfd, 4> polls_{};
  FrameDecoder decoder_;
  RecordAssembler record_;
  Console console_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_frame_ = start_;
  std::optional<Clock::time_point> panic_at_;
  bool ready_ = false;
  bool booted_ = false;
  std::optional<int> exit_code_;
  LabOutcome outcome_;
};

}  // namespace

Result<LabOutcome> RunSession(Engine& engine, const LabOptions& options, LabObserver& observer,
                              std::string_view job) {
  return Session(engine, options, observer, job).Run();
}

Status AwaitReady(Engine& engine, const LabOptions& options, LabObserver& observer) {
  return Session(engine, options, observer, "").RunUntilReady();
}

}  // namespace plectl::lab
