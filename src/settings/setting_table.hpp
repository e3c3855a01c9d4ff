#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "settings/settings.hpp"

namespace millrace::settings {

/// Which commands a setting is for.
enum class Scope : std::uint8_t {
  serve = 1,   // the gateway with its broker and workers
  worker = 2,  // `worker run`
  client = 4,  // commands that ask a server
};

/// A set of scopes.
class Scopes {
 public:
  constexpr Scopes(Scope scope) : bits_(static_cast<std::uint8_t>(scope)) {}  // NOLINT(google-explicit-constructor)
  constexpr Scopes operator|(Scopes other) const { return Scopes(static_cast<std::uint8_t>(bits_ | other.bits_)); }
  constexpr bool has(Scope scope) const { return (bits_ & static_cast<std::uint8_t>(scope)) != 0; }

 private:
  constexpr explicit Scopes(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_;
};
constexpr Scopes operator|(Scope a, Scope b) { return Scopes(a) | Scopes(b); }

/// What must be hidden when a value is shown.
enum class Secret : std::uint8_t {
  no,
  url,    // the password inside it
  whole,  // all of it
};

/// What a text, or each text of a list, must look like.
enum class Form : std::uint8_t {
  any,
  path,
  name,      // a task's name: 1 to 128 of A-Z a-z 0-9 . _ -
  listen,    // host:port, [v6]:port or unix:/path
  host,      // a host name or address, without port
  url,       // scheme:…
  http_url,  // http:// or https://
  origin,    // http(s)://host[:port]
  choice,    // one of `choices`
};

/// Where a value is kept, which also says its kind. `std::uint64_t` holds bytes, `std::int64_t` a count.
using Member =
    std::variant<std::string Settings::*, std::vector<std::string> Settings::*, bool Settings::*,
                 std::int64_t Settings::*, std::uint64_t Settings::*, double Settings::*, Milliseconds Settings::*>;

/// One row. The name is the TOML key; flag and variable follow from it.
struct SettingInfo {
  std::string_view name = {};
  Member member = static_cast<std::string Settings::*>(nullptr);
  Scopes scopes = Scope::serve;
  std::string_view group = {};         // heading in help and docs
  std::string_view default_text = {};  // read like any other value
  std::string_view help = {};
  double least = 0;  // limits: milliseconds, bytes or the number itself
  double most = std::numeric_limits<double>::infinity();
  std::string_view special_text = {};  // a word that stands for `special_value`: `auto`, `never`
  double special_value = 0;            // may lie outside the limits
  Form form = Form::any;
  std::string_view choices = {};  // separated by `|`, for Form::choice
  Secret secret = Secret::no;
  std::string_view file_variant = {};  // name of the setting that names a file with the value
};

/// All rows, grouped.
std::span<const SettingInfo> setting_table() noexcept;
/// The row of `name`, or null.
const SettingInfo* find_setting(std::string_view name) noexcept;
/// The row whose value the file variant `name` gives (`broker_file` → `broker`), or null.
const SettingInfo* find_file_variant(std::string_view name) noexcept;

/// `max_retries` as `--max-retries`.
std::string flag_of(std::string_view name);
/// `max_retries` as `MILLRACE_MAX_RETRIES`.
std::string variable_of(std::string_view name);
/// The name behind a `MILLRACE_…` variable, whether a setting has it or not.
std::string name_of_variable(std::string_view variable);
/// The setting or file variant whose name is most like `name`, or nothing when none is near.
std::optional<std::string> nearest_name(std::string_view name);

bool is_list(const SettingInfo& info) noexcept;
bool is_boolean(const SettingInfo& info) noexcept;

/// `workers` before the number of hardware threads is put in.
inline constexpr std::int64_t automatic = -1;

}  // namespace millrace::settings
