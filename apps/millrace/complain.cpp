#include "complain.hpp"

#include <cstdio>
#include <string>

#include "exit_code.hpp"

namespace millrace::app {
namespace {

std::string_view hint_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::unauthorized:
      return "show a token: --token, MILLRACE_TOKEN or MILLRACE_CLIENT_TOKEN_FILE";
    case ErrorCode::forbidden:
      return "this token lacks the role; `millrace token create` makes one with another";
    case ErrorCode::unavailable:
      return "is the server running? `millrace serve` starts one; --server names another";
    case ErrorCode::overloaded:
    case ErrorCode::quota_exceeded:
    case ErrorCode::disk_low:
      return "nothing was accepted; try again later";
    case ErrorCode::durability_unknown:
    case ErrorCode::timed_out:
      return "it may have happened; the same task id or idempotency key makes it safe to repeat";
    case ErrorCode::corrupt:
      return "`millrace recover` shows what is damaged and what it would cost to go on";
    case ErrorCode::misdirected:
      return "start the server with --public-host and the name that clients use";
    default:
      return {};
  }
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

int exit_code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::malformed:
    case ErrorCode::invalid_argument:
      return exit_code::usage;
    case ErrorCode::unavailable:
      return exit_code::unreachable;
    case ErrorCode::open_elsewhere:
      return exit_code::open_elsewhere;
    case ErrorCode::corrupt:
      return exit_code::damaged;
    case ErrorCode::timed_out:
      return exit_code::timed_out;
    default:
      return exit_code::failed;
  }
}

int complain(const Error& error) {
  const auto& info = error_info(error.code);
  std::string text("millrace: ");
  text.append(error.detail.empty() ? info.title : std::string_view(error.detail));
  if (!error.field.empty() && error.detail.find(error.field) == std::string::npos)
    text.append(" (").append(error.field).append(")");
  text.append(" [").append(info.name).append("]\n");
  if (const auto hint = hint_for(error.code); !hint.empty()) text.append("  hint: ").append(hint).append("\n");
  print(text);
  return exit_code_of(error.code);
}

int complain_of_usage(std::string_view what) {
  print(std::string("millrace: ").append(what).append("\n"));
  return exit_code::usage;
}

bool accept_settings(const settings::Resolution& resolution) {
  for (const auto& note : resolution.notes) print("note: " + note + "\n");
  for (const auto& warning : resolution.warnings) print("warning: " + warning + "\n");
  for (const auto& problem : resolution.problems) print("millrace: " + problem + "\n");
  return resolution.ok();
}

}  // namespace millrace::app
