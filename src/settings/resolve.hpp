#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "settings/setting_table.hpp"
#include "settings/sources.hpp"

namespace millrace::settings {

/// What was written on the command line, by setting name or file variant. A flag may have been given several times.
using Flags = std::map<std::string, std::vector<std::string>>;

/// Everything a resolution depends on; nothing else is looked at.
struct Inputs {
  Scope scope = Scope::serve;
  Flags flags = {};
  Variables environment = {};
  /// The content of a file, or why not.
  std::function<Result<std::string>(const std::string& path)> read_file = {};
  /// Whether something exists at a path.
  std::function<bool(const std::string& path)> exists = {};
  unsigned hardware_threads = 1;
  /// Schemes of brokers that this build has components for.
  std::vector<std::string> broker_schemes = {"file", "memory"};
};

/// The inputs of this process: its environment, file system and hardware.
Inputs process_inputs(Scope scope, Flags flags);

/// Where a value came from, the first source first.
enum class Source : std::uint8_t { flag, environment, env_file, config_file, legacy, standard };

/// One setting as it stands.
struct ResolvedSetting {
  const SettingInfo* info = nullptr;
  Source source = Source::standard;
  std::string value = {};   // as written; secret, see `shown`
  std::string shown = {};   // without secrets
  std::string origin = {};  // `--broker`, `MILLRACE_BROKER`, `REDIS_HOST`, `millrace.toml line 3`, `default`
};

struct Resolution {
  Settings settings = {};
  std::vector<ResolvedSetting> values = {};  // all of them, in the order of the table
  std::vector<std::string> startup_lines =
      {};                                  // `broker redis://redis:6379/0 (from REDIS_HOST)`: what moved the broker
  std::vector<std::string> notes = {};     // what was ignored, and why
  std::vector<std::string> warnings = {};  // what the user should mend
  std::vector<std::string> problems = {};  // why the command must not run; each names setting, source and limit

  bool ok() const noexcept { return problems.empty(); }
  const ResolvedSetting& at(std::string_view name) const;
  /// Whether somebody gave a value, so that it is not the default.
  bool given(std::string_view name) const { return at(name).source != Source::standard; }
};

/// Finds the value of every setting: flag, then environment, env-file, configuration file, older variables, default.
/// At one level a value and its `…_file` exclude each other. Never throws on content; every problem is told, not the
/// first one only, and no text in the result but `settings` and `value` shows a secret.
Resolution resolve(const Inputs& inputs);

}  // namespace millrace::settings
