#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

/// What stands in the files and in the environment, before anybody knows what it means.
namespace millrace::settings {

/// A text per variable, in the order of names.
using Variables = std::map<std::string, std::string>;

/// Reads the text of an env-file: lines `NAME=value`, also `export NAME=value`. Blank lines and lines that start with
/// `#` mean nothing. A value in single quotes is taken as it is; in double quotes `\n`, `\t`, `\"`, `\\` and `\$` are
/// read; bare ones end before ` #`. Nothing is expanded. The last of several lines with one name counts. Errors:
/// invalid_argument naming each bad line.
Result<Variables> parse_env_file(std::string_view text);

/// One key of a configuration file.
struct ConfigEntry {
  std::vector<std::string> values = {};
  int line = 0;
};

/// Reads the text of a TOML file: keys at the top, values text, number, boolean, or a list of them. What the keys mean
/// is not looked at. Errors: invalid_argument with the line, also for tables, which no setting has.
Result<std::map<std::string, ConfigEntry>> parse_config_file(std::string_view text);

/// Whether Kubernetes puts such a variable into every container for a service called millrace, or millrace-…:
/// `MILLRACE_SERVICE_HOST`, `MILLRACE_PORT_8000_TCP_ADDR`, or any whose value is `tcp://…`.
bool is_injected_by_kubernetes(std::string_view variable, std::string_view value);

}  // namespace millrace::settings
