#include "settings/resolve.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/assert.hpp"
#include "base/redact.hpp"
#include "settings/check.hpp"
#include "settings/legacy_env.hpp"
#include "settings/value.hpp"

namespace millrace::settings {
namespace {

/// The texts of one setting at one source.
struct Given {
  std::vector<std::string> texts;
  std::string origin;
};

/// One source: what it gives, by setting name or file variant.
struct Level {
  Source source = Source::standard;
  std::map<std::string, Given, std::less<>> given = {};
};

std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ") {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : separator).append(word);
  return text;
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::string shown(const SettingInfo& info, const std::string& value) {
  switch (info.secret) {
    case Secret::no:
      return value;
    case Secret::url:
      return redact_url(value);
    case Secret::whole:
      break;
  }
  return value.empty() ? "" : "***";
}

/// Gathers the levels in their order, then takes each setting from the first that has it.
class Resolver {
 public:
  explicit Resolver(const Inputs& inputs) : inputs_(inputs) {}

  Resolution run() {
    add_flags();
    add_variables(Source::environment, inputs_.environment, {});
    const auto env_file = path_setting("env_file");
    const auto file_variables = env_file.empty() ? Variables{} : read_env_file(env_file);
    if (!env_file.empty()) add_variables(Source::env_file, file_variables, " in " + env_file);
    if (const auto config = path_setting("config"); !config.empty()) add_config_file(config);
    add_legacy(file_variables);
    for (const auto& info : setting_table()) take(info);
    if (result_.settings.workers == automatic) result_.settings.workers = std::max(1U, inputs_.hardware_threads);
    explain_broker();
    check(inputs_, result_);
    return std::move(result_);
  }

 private:
  static bool is_known(std::string_view name) {
    return find_setting(name) != nullptr || find_file_variant(name) != nullptr;
  }

  void add_flags() {
    Level level{Source::flag};
    for (const auto& [name, texts] : inputs_.flags) {
      MILLRACE_ASSERT(is_known(name));
      if (!texts.empty()) level.given[name] = {texts, flag_of(name)};
    }
    levels_.push_back(std::move(level));
    warn_of_secrets_in_flags();
  }

  void warn_of_secrets_in_flags() {
    for (const auto& [name, given] : levels_.back().given) {
      const auto* info = find_setting(name);
      if (info == nullptr || info->secret == Secret::no || info->file_variant.empty()) continue;
      const bool shows =
          info->secret == Secret::whole || std::any_of(given.texts.begin(), given.texts.end(), has_password);
      if (!shows) continue;
      result_.warnings.push_back(flag_of(name) +
                                 ": every user of this machine can read a secret on the command line; put it "
                                 "into a file and name that in " +
                                 variable_of(info->file_variant));
    }
  }

  void add_variables(Source source, const Variables& variables, const std::string& where) {
    Level level{source};
    std::vector<std::string> injected;
    for (const auto& [variable, value] : variables) {
      if (!variable.starts_with("MILLRACE_")) continue;
      const auto name = name_of_variable(variable);
      if (is_known(name) && !value.starts_with("tcp://")) {
        if (!value.empty()) level.given[name] = {{value}, variable + where};
      } else if (is_injected_by_kubernetes(variable, value)) {
        injected.push_back(variable);
      } else {
        warn_of_unknown(variable + where, name);
      }
    }
    if (!injected.empty())
      result_.notes.push_back(joined(injected) + " ignored: Kubernetes sets it for a service of that name");
    levels_.push_back(std::move(level));
  }

  void warn_of_unknown(const std::string& variable, const std::string& name) {
    const auto near = nearest_name(name);
    result_.warnings.push_back(variable + ": there is no such setting" +
                               (near ? "; did you mean " + variable_of(*near) + "?" : std::string()));
  }

  /// A path that says where to read on; only levels read so far count.
  std::string path_setting(std::string_view name) const {
    for (const auto& level : levels_) {
      if (const auto found = level.given.find(name); found != level.given.end()) return found->second.texts.back();
    }
    return {};
  }

  std::optional<std::string> read(const std::string& path, const std::string& wanted_by) {
    auto text = inputs_.read_file(path);
    if (text) return *std::move(text);
    result_.problems.push_back(wanted_by + ": " + text.error().detail);
    return std::nullopt;
  }

  Variables read_env_file(const std::string& path) {
    const auto text = read(path, "env_file");
    if (!text) return {};
    auto variables = parse_env_file(*text);
    if (variables) return *std::move(variables);
    result_.problems.push_back("env_file " + path + ": " + variables.error().detail);
    return {};
  }

  void add_config_file(const std::string& path) {
    const auto text = read(path, "config");
    if (!text) return;
    auto entries = parse_config_file(*text);
    if (!entries) return result_.problems.push_back("config " + path + ": " + entries.error().detail);
    Level level{Source::config_file};
    for (auto& [name, entry] : *entries) {
      const auto where = path + " line " + std::to_string(entry.line);
      if (is_known(name)) {
        level.given[name] = {std::move(entry.values), where};
      } else {
        const auto near = nearest_name(name);
        result_.problems.push_back(where + ": there is no setting '" + name + "'" +
                                   (near ? "; did you mean '" + *near + "'?" : std::string()));
      }
    }
    levels_.push_back(std::move(level));
  }

  bool reads_legacy() const {
    const auto* info = find_setting("legacy_env");
    Settings settings;
    for (const auto& level : levels_) {
      const auto found = level.given.find("legacy_env");
      if (found == level.given.end()) continue;
      return !assign(*info, found->second.texts, settings) || settings.legacy_env;
    }
    return true;
  }

  void add_legacy(const Variables& file_variables) {
    if (!reads_legacy()) return;
    auto variables = inputs_.environment;
    variables.insert(file_variables.begin(), file_variables.end());
    auto reading = read_legacy_env(variables);
    if (!may_move_broker()) {
      reading.settings.erase("broker");
      reading.settings.erase("ledger");
      reading.problems.clear();
    }
    Level level{Source::legacy};
    for (auto& [name, legacy] : reading.settings)
      level.given[name] = {{std::move(legacy.value)}, std::move(legacy.origin)};
    levels_.push_back(std::move(level));
    result_.notes.insert(result_.notes.end(), reading.notes.begin(), reading.notes.end());
    result_.problems.insert(result_.problems.end(), reading.problems.begin(), reading.problems.end());
  }

  /// Older variables choose a broker only where none was named in our own words, and never for a command that talks
  /// to a server.
  bool may_move_broker() const {
    const auto names = [&](std::string_view name) {
      return std::any_of(levels_.begin(), levels_.end(),
                         [&](const Level& level) { return level.given.contains(name); });
    };
    if (names("broker") || names("broker_file")) return false;
    return inputs_.scope == Scope::serve || (inputs_.scope == Scope::worker && !names("server"));
  }

  /// The first level that gives the setting, itself or by file.
  std::optional<std::pair<Source, Given>> find(const SettingInfo& info) {
    for (const auto& level : levels_) {
      const auto own = level.given.find(info.name);
      const auto file = info.file_variant.empty() ? level.given.end() : level.given.find(info.file_variant);
      if (own != level.given.end() && file != level.given.end()) {
        result_.problems.push_back(own->second.origin + " and " + file->second.origin + ": give one of them");
      }
      if (own != level.given.end()) return std::pair(level.source, own->second);
      if (file == level.given.end()) continue;
      const auto& path = file->second.texts.back();
      const auto text = read(path, file->second.origin);
      if (!text) return std::nullopt;
      return std::pair(level.source, Given{{without_line_end(*text)}, file->second.origin + " " + path});
    }
    return std::nullopt;
  }

  void take(const SettingInfo& info) {
    const std::vector<std::string> standard{std::string(info.default_text)};
    const auto assigned = assign(info, standard, result_.settings);
    MILLRACE_ASSERT(assigned.has_value());
    ResolvedSetting resolved{&info, Source::standard, standard.front(), standard.front(), "default"};
    if (const auto found = find(info)) {
      const auto& [source, given] = *found;
      resolved = {&info, source, joined(given.texts), shown(info, joined(given.texts)), given.origin};
      if (info.scopes.has(inputs_.scope)) {
        if (const auto good = assign(info, given.texts, result_.settings); !good) report(info, resolved, good.error());
      }
    }
    result_.values.push_back(std::move(resolved));
  }

  void report(const SettingInfo& info, const ResolvedSetting& resolved, const Error& error) {
    const auto quoted = info.secret == Secret::no ? " '" + resolved.shown.substr(0, 80) + "'" : std::string();
    result_.problems.push_back(std::string(info.name) + quoted + " (from " + resolved.origin + ") " + error.detail);
  }

  void explain_broker() {
    for (const auto* name : {"broker", "ledger"}) {
      if (!result_.given(name)) continue;
      const auto& value = result_.at(name);
      if (value.info->scopes.has(inputs_.scope)) {
        result_.startup_lines.push_back(std::string(name) + " " + value.shown + " (from " + value.origin + ")");
      }
    }
  }

  const Inputs& inputs_;
  std::vector<Level> levels_;
  Resolution result_;
};

}  // namespace

const ResolvedSetting& Resolution::at(std::string_view name) const {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.info->name == name; });
  MILLRACE_ASSERT(found != values.end());
  return *found;
}

Resolution resolve(const Inputs& inputs) { return Resolver(inputs).run(); }

}  // namespace millrace::settings
