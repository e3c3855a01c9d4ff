#include "settings/sources.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace millrace::settings {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  const auto begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool is_variable_name(std::string_view name) noexcept {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

/// What may stand behind a closing quote.
bool is_end_of_value(std::string_view rest) noexcept {
  rest = trimmed(rest);
  return rest.empty() || rest.front() == '#';
}

std::optional<std::string> read_double_quoted(std::string_view text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return is_end_of_value(text.substr(i + 1)) ? std::optional(value) : std::nullopt;
    if (text[i] != '\\' || i + 1 == text.size()) {
      value.push_back(text[i]);
      continue;
    }
    const char next = text[++i];
    switch (next) {
      case 'n':
        value.push_back('\n');
        break;
      case 't':
        value.push_back('\t');
        break;
      case '"':
      case '\\':
      case '$':
        value.push_back(next);
        break;
      default:
        value.append({'\\', next});
    }
  }
  return std::nullopt;
}

std::optional<std::string> read_value(std::string_view text) {
  if (text.starts_with('"')) return read_double_quoted(text);
  if (text.starts_with('\'')) {
    const auto end = text.find('\'', 1);
    if (end == std::string_view::npos || !is_end_of_value(text.substr(end + 1))) return std::nullopt;
    return std::string(text.substr(1, end - 1));
  }
  if (text.starts_with('#')) return std::string();
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    if (text[at - 1] == ' ' || text[at - 1] == '\t') return std::string(trimmed(text.substr(0, at)));
  }
  return std::string(text);
}

/// Nothing when the line is good, else what is wrong with it.
std::optional<std::string> read_line(std::string_view line, Variables& variables) {
  if (line.starts_with("export ") || line.starts_with("export\t")) line = trimmed(line.substr(7));
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return "expected NAME=value";
  const auto name = trimmed(line.substr(0, equals));
  if (!is_variable_name(name)) return "a name has only letters, digits and _";
  auto value = read_value(trimmed(line.substr(equals + 1)));
  if (!value) return "the quote of " + std::string(name) + " does not end, or something follows it";
  variables[std::string(name)] = *std::move(value);
  return std::nullopt;
}

}  // namespace

Result<Variables> parse_env_file(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Variables variables;
  std::string problems;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (const auto problem = read_line(line, variables)) {
      problems.append(problems.empty() ? "" : "; ").append("line " + std::to_string(number) + ": " + *problem);
      if (problems.size() > 1000) break;  // this is no env-file
    }
  }
  if (!problems.empty()) return Error{ErrorCode::invalid_argument, problems, {}};
  return variables;
}

bool is_injected_by_kubernetes(std::string_view variable, std::string_view value) {
  if (value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://")) return true;
  const auto has = [&](std::string_view part) { return variable.find(part) != std::string_view::npos; };
  return variable.ends_with("_SERVICE_HOST") || has("_SERVICE_PORT") ||
         (has("_PORT_") &&
          (variable.ends_with("_ADDR") || variable.ends_with("_PROTO") || variable.ends_with("_PORT")));
}

}  // namespace millrace::settings
