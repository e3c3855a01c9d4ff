#include "settings/command_line.hpp"

#include <CLI/CLI.hpp>

namespace millrace::settings {
namespace {

std::string without_backticks(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '`'), text.end());
  return text;
}

std::string help_text(const SettingInfo& info) {
  auto text = without_backticks(std::string(info.help));
  if (!info.default_text.empty() && !is_boolean(info)) text.append(" [").append(info.default_text).append("]");
  return text;
}

std::string value_word(const SettingInfo& info) {
  if (std::holds_alternative<std::int64_t Settings::*>(info.member)) return "N";
  if (std::holds_alternative<std::uint64_t Settings::*>(info.member)) return "SIZE";
  if (std::holds_alternative<double Settings::*>(info.member)) return "NUMBER";
  if (std::holds_alternative<Milliseconds Settings::*>(info.member)) return "TIME";
  switch (info.form) {
    case Form::path:
      return "PATH";
    case Form::name:
      return "NAME";
    case Form::listen:
      return "ADDRESS";
    case Form::host:
      return "HOST";
    case Form::url:
    case Form::http_url:
      return "URL";
    case Form::origin:
      return "ORIGIN";
    case Form::choice:
      return std::string(info.choices);
    case Form::any:
      break;
  }
  return "TEXT";
}

void add_boolean(CLI::App& app, const SettingInfo& info, Flags& flags) {
  const auto flag = flag_of(info.name);
  const auto no = "--no-" + flag.substr(2);
  app.add_flag_function(
         flag + ",!" + no,
         [name = std::string(info.name), &flags](std::int64_t count) { flags[name] = {count > 0 ? "true" : "false"}; },
         help_text(info))
      ->group(std::string(info.group));
}

void add_value(CLI::App& app, const SettingInfo& info, Flags& flags) {
  const std::function<void(const std::vector<std::string>&)> note =
      [name = std::string(info.name), &flags](const std::vector<std::string>& texts) { flags[name] = texts; };
  app.add_option_function(flag_of(info.name), note, help_text(info))
      ->type_name(value_word(info))
      ->allow_extra_args(false)
      ->group(std::string(info.group));
}

void add_file_variant(CLI::App& app, const SettingInfo& info, Flags& flags) {
  const auto name = std::string(info.file_variant);
  const std::function<void(const std::string&)> note = [name, &flags](const std::string& text) {
    flags[name] = {text};
  };
  app.add_option_function(flag_of(name), note, "File that holds " + flag_of(info.name))
      ->type_name("PATH")
      ->group(std::string(info.group));
}

}  // namespace

void add_flags(CLI::App& app, Scope scope, Flags& flags) {
  for (const auto& info : setting_table()) {
    if (!info.scopes.has(scope)) continue;
    is_boolean(info) ? add_boolean(app, info, flags) : add_value(app, info, flags);
    if (!info.file_variant.empty()) add_file_variant(app, info, flags);
  }
}

}  // namespace millrace::settings
