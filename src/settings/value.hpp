#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "settings/setting_table.hpp"

namespace millrace::settings {

/// Reads `texts` as the value of `info` and puts it into `settings`. One text, or any number for a list; a text of a
/// list may hold several values, separated by commas. An error names the limit, but not the setting, and leaves
/// `settings` as it was.
Result<void> assign(const SettingInfo& info, std::span<const std::string> texts, Settings& settings);

/// A length of time: a number with `ms`, `s`, `m` (or `min`), `h` or `d`, or of seconds without unit: `1.5`, `250ms`.
std::optional<double> parse_duration_ms(std::string_view text);
/// A size: a number with `KiB`, `MiB`, `GiB`, `TiB` (or `K`, `M`, `G`, `T`), or of bytes without unit.
std::optional<double> parse_bytes(std::string_view text);
/// `true`, `yes`, `on`, `1`, or `false`, `no`, `off`, `0`, in any case.
std::optional<bool> parse_boolean(std::string_view text);

/// The texts separated by commas, without spaces around them and without empty ones.
std::vector<std::string> split_list(std::string_view text);

/// The limits of `info` for people: `0 to 1000`, `1s to 12h or never`, `one of disk, process, memory`; may be empty.
std::string limits_text(const SettingInfo& info);

}  // namespace millrace::settings
