#include <algorithm>
#include <charconv>
#include <optional>

#include <toml++/toml.h>

#include "settings/sources.hpp"

namespace millrace::settings {
namespace {

/// toml++ 3.3 runs into undefined behaviour on letters beyond ASCII outside strings, so it never sees one: each of
/// their bytes is written `~c3` for it, `~` itself `~7e`, and what comes back is turned round.
std::string to_ascii(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    byte < 0x80 && c != '~' ? out.push_back(c) : void(out.append({'~', digits[byte >> 4], digits[byte & 15]}));
  }
  return out;
}

std::string from_ascii(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const auto* digits = text.data() + i + 1;
    const bool coded =
        text[i] == '~' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    out.push_back(coded ? static_cast<char>(byte) : text[i]);
    if (coded) i += 2;
  }
  return out;
}

/// Looks for the heads of tables, which no setting has; a wrong one (`[[` before a stray letter) fails an assertion of
/// toml++ 3.3. Agrees with the parser up to its first error, which is as far as the parser reads.
class TableHeads {
 public:
  explicit TableHeads(std::string_view text) : text_(text) {}

  /// The line of the first one.
  std::optional<toml::source_index> find() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '[' && at_line_start_ && depth_ == 0) return line_;
      if (c == '#') {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        at_line_start_ = false;
        skip_string(c);
      } else {
        count_brackets(c);
        step();
      }
    }
    return std::nullopt;
  }

 private:
  void step() {
    if (text_[at_++] == '\n') ++line_;
  }
  void count_brackets(char c) {
    if (c == '[') ++depth_;
    if (c == ']' && depth_ > 0) --depth_;
    if (c != ' ' && c != '\t' && c != '\r') at_line_start_ = c == '\n';
  }
  void skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }
  bool sees(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool many_lines = sees(three);
    const std::string end = many_lines ? three : std::string(1, quote);
    at_ += end.size();
    while (at_ < text_.size() && !sees(end)) {
      if (!many_lines && text_[at_] == '\n') return;
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size()) step();
      step();
    }
    at_ = std::min(at_ + end.size(), text_.size());
    while (many_lines && sees(std::string_view(&quote, 1))) ++at_;  // up to two quotes may stand before the end
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  toml::source_index line_ = 1;
  int depth_ = 0;  // of lists
  bool at_line_start_ = true;
};

Error at_line(toml::source_index line, const std::string& detail) {
  return {ErrorCode::invalid_argument, "line " + std::to_string(line) + ": " + detail, {}};
}

Result<toml::table> parse(std::string_view text) try {
  return toml::parse(to_ascii(text));
} catch (const toml::parse_error& error) {
  return at_line(error.source().begin.line, from_ascii(error.description()));
}

std::string number_text(double value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::optional<std::string> value_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return from_ascii(text->get());
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* real = node.as_floating_point()) return number_text(real->get());
  if (const auto* boolean = node.as_boolean()) return std::string(boolean->get() ? "true" : "false");
  return std::nullopt;
}

/// The values of one key, or what is wrong with them.
Result<std::vector<std::string>> value_texts(const toml::node& node) {
  std::vector<std::string> values;
  if (const auto* list = node.as_array()) {
    for (const auto& element : *list) {
      auto value = value_text(element);
      if (!value) return Error{ErrorCode::invalid_argument, "a list holds texts, numbers or booleans only", {}};
      values.push_back(*std::move(value));
    }
  } else if (auto value = value_text(node)) {
    values.push_back(*std::move(value));
  } else {
    return Error{ErrorCode::invalid_argument, "tables and dates are no value of a setting", {}};
  }
  return values;
}

}  // namespace

Result<std::map<std::string, ConfigEntry>> parse_config_file(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (const auto line = TableHeads(text).find()) return at_line(*line, "settings stand at the top, without [tables]");
  const auto parsed = parse(text);
  if (!parsed) return parsed.error();
  std::map<std::string, ConfigEntry> entries;
  for (const auto& [key, node] : *parsed) {
    const auto line = node.source().begin.line;
    const auto name = from_ascii(key.str());
    auto values = value_texts(node);
    if (!values) return at_line(line, name + ": " + values.error().detail);
    entries.emplace(name, ConfigEntry{*std::move(values), static_cast<int>(line)});
  }
  return entries;
}

}  // namespace millrace::settings
