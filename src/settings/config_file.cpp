#include <charconv>
#include <optional>

#include <toml++/toml.h>

#include "settings/sources.hpp"

namespace millrace::settings {
namespace {

std::string number_text(double value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::optional<std::string> value_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* real = node.as_floating_point()) return number_text(real->get());
  if (const auto* boolean = node.as_boolean()) return std::string(boolean->get() ? "true" : "false");
  return std::nullopt;
}

Error at_line(toml::source_index line, const std::string& detail) {
  return {ErrorCode::invalid_argument, "line " + std::to_string(line) + ": " + detail, {}};
}

Result<toml::table> parse(std::string_view text) try {
  return toml::parse(text);
} catch (const toml::parse_error& error) {
  return at_line(error.source().begin.line, std::string(error.description()));
}

}  // namespace

Result<std::map<std::string, ConfigEntry>> parse_config_file(std::string_view text) {
  const auto parsed = parse(text);
  if (!parsed) return parsed.error();
  std::map<std::string, ConfigEntry> entries;
  for (const auto& [key, node] : *parsed) {
    const auto line = node.source().begin.line;
    ConfigEntry entry{{}, static_cast<int>(line)};
    const auto name = std::string(key.str());
    if (const auto* list = node.as_array()) {
      for (const auto& element : *list) {
        auto value = value_text(element);
        if (!value) return at_line(line, name + ": a list holds texts, numbers or booleans only");
        entry.values.push_back(*std::move(value));
      }
    } else if (auto value = value_text(node)) {
      entry.values.push_back(*std::move(value));
    } else if (node.is_table()) {
      return at_line(line, "[" + name + "]: settings stand at the top, without tables");
    } else {
      return at_line(line, name + ": dates are no value of a setting");
    }
    entries.emplace(name, std::move(entry));
  }
  return entries;
}

}  // namespace millrace::settings
