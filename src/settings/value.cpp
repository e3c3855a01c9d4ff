#include "settings/value.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include <millrace/names.hpp>

namespace millrace::settings {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array duration_units{Unit{"ms", 1},     Unit{"min", 60'000},  Unit{"s", 1'000},     Unit{"", 1'000},
                                    Unit{"m", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr double kib = 1024;
constexpr std::array byte_units{Unit{"", 1},
                                Unit{"b", 1},
                                Unit{"k", kib},
                                Unit{"kib", kib},
                                Unit{"m", kib* kib},
                                Unit{"mib", kib* kib},
                                Unit{"g", kib* kib* kib},
                                Unit{"gib", kib* kib* kib},
                                Unit{"t", kib* kib* kib* kib},
                                Unit{"tib", kib* kib* kib* kib}};

std::string_view trimmed(std::string_view text) noexcept {
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const auto whole = lower(trimmed(text));
  const auto digits = std::min(whole.find_first_not_of("0123456789.+-"), whole.size());
  const auto unit_text = trimmed(std::string_view(whole).substr(digits));
  const auto number = parse_number(trimmed(std::string_view(whole).substr(0, digits)));
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& each) { return each.name == unit_text; });
  if (!number || unit == units.end()) return std::nullopt;
  return *number * unit->factor;
}

Error invalid(std::string detail) { return {ErrorCode::invalid_argument, std::move(detail), {}}; }

/// The number behind `text` in milliseconds, bytes or as it is, checked against the row's limits.
Result<double> read_number(const SettingInfo& info, std::string_view text, std::string_view kind,
                           std::optional<double> (*parse)(std::string_view)) {
  const auto word = trimmed(text);
  if (!info.special_text.empty() && lower(word) == info.special_text) return info.special_value;
  const auto value = parse(word);
  // A special value may also be written as the number it stands for, as far as that is one (0 = no limit).
  if (value && !info.special_text.empty() && info.special_value >= 0 && *value == info.special_value) return *value;
  if (!value || *value < info.least || *value > info.most) {
    const auto limits = limits_text(info);
    return invalid("is not " + std::string(kind) + (limits.empty() ? "" : ", " + limits));
  }
  return *value;
}

std::optional<double> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(value);
}

bool is_port(std::string_view text) {
  const auto port = parse_integer(text);
  return port && *port >= 0 && *port <= 65535 && text.size() <= 5;
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
}

bool is_bracketed_v6(std::string_view text) {
  return text.size() > 3 && text.front() == '[' && text.back() == ']' &&
         text.find_first_not_of("0123456789abcdefABCDEF:.%", 1) == text.size() - 1;
}

bool is_host_and_port(std::string_view text, bool needs_port) {
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && text.back() != ']';
  const auto host = text.substr(0, has_port ? colon : text.size());
  return (has_port ? is_port(text.substr(colon + 1)) : !needs_port) && (is_host(host) || is_bracketed_v6(host));
}

bool is_url(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.'; });
}

bool is_origin(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) return is_host_and_port(text.substr(scheme.size()), false);
  }
  return false;
}

bool is_one_of(std::string_view text, std::string_view choices) {
  while (!choices.empty()) {
    const auto choice = choices.substr(0, choices.find('|'));
    if (choice == text) return true;
    choices.remove_prefix(std::min(choice.size() + 1, choices.size()));
  }
  return false;
}

std::string choice_names(std::string_view choices) {
  std::string names = "one of " + std::string(choices);
  for (std::size_t at = 0; (at = names.find('|', at)) != std::string::npos;) names.replace(at, 1, ", ");
  return names;
}

/// Nothing when `text` is well-formed, else what it should be.
std::optional<std::string> form_problem(const SettingInfo& info, std::string_view text) {
  const auto unless = [](bool good, std::string what) { return good ? std::nullopt : std::optional(std::move(what)); };
  if (text.size() > 4096) return "is longer than 4096 bytes";
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return "holds a control character";
  }
  switch (info.form) {
    case Form::any:
    case Form::path:
      return std::nullopt;
    case Form::name:
      return unless(valid_name(text), "is not a name: 1 to 128 of A-Z a-z 0-9 . _ -, first a letter or digit");
    case Form::listen:
      return unless((text.starts_with("unix:") && text.size() > 5) || is_host_and_port(text, true),
                    "is not host:port, [v6]:port or unix:/path with a port of 0 to 65535");
    case Form::host:
      return unless(is_host(text) || is_bracketed_v6(text) || is_bracketed_v6("[" + std::string(text) + "]"),
                    "is not a host name or address (without port)");
    case Form::url:
      return unless(is_url(text), "is not a URL (scheme:…)");
    case Form::http_url:
      return unless(text.starts_with("http://") || text.starts_with("https://"), "is not an http:// or https:// URL");
    case Form::origin:
      return unless(is_origin(text), "is not an origin such as https://example.com");
    case Form::choice:
      return unless(is_one_of(text, info.choices), "is not " + choice_names(info.choices));
  }
  return std::nullopt;
}

/// Checks one text and puts it in its kept form: choices are lower case, and levels have one name each.
Result<std::string> read_text(const SettingInfo& info, std::string_view text) {
  auto value = std::string(trimmed(text));
  if (info.form == Form::choice) {
    value = lower(value);
    if (info.name == "log_level") {
      constexpr std::array<std::pair<std::string_view, std::string_view>, 6> other_names{{{"warn", "warning"},
                                                                                          {"critical", "error"},
                                                                                          {"fatal", "error"},
                                                                                          {"err", "error"},
                                                                                          {"trace", "debug"},
                                                                                          {"none", "off"}}};
      for (const auto& [other, own] : other_names) {
        if (value == other) value = own;
      }
    }
  }
  if (value.empty()) return value;  // empty = not given
  if (const auto problem = form_problem(info, value)) return invalid(*problem);
  return value;
}

/// Puts one value of the kind that the row's member has.
struct Assign {
  const SettingInfo& info;
  std::span<const std::string> texts;
  Settings& settings;

  const std::string& text() const { return texts.back(); }

  Result<void> operator()(std::string Settings::*member) const {
    auto value = read_text(info, text());
    if (!value) return std::move(value).error();
    if (value->empty() && info.form == Form::choice) return invalid("is empty; it is " + choice_names(info.choices));
    settings.*member = *std::move(value);
    return {};
  }
  Result<void> operator()(std::vector<std::string> Settings::*member) const {
    std::vector<std::string> all;
    for (const auto& each : texts) {
      for (const auto& part : split_list(each)) {
        auto value = read_text(info, part);
        if (!value) return invalid("'" + part + "' " + value.error().detail);
        if (std::find(all.begin(), all.end(), *value) == all.end()) all.push_back(*std::move(value));
      }
    }
    settings.*member = std::move(all);
    return {};
  }
  Result<void> operator()(bool Settings::*member) const {
    const auto value = parse_boolean(text());
    if (!value) return invalid("is not true or false");
    settings.*member = *value;
    return {};
  }
  Result<void> operator()(std::int64_t Settings::*member) const {
    return put(member, read_number(info, text(), "a whole number", parse_integer));
  }
  Result<void> operator()(std::uint64_t Settings::*member) const {
    return put(member, read_number(info, text(), "a size (like 64MiB)", parse_bytes));
  }
  Result<void> operator()(double Settings::*member) const {
    return put(member, read_number(info, text(), "a number", parse_number));
  }
  Result<void> operator()(Milliseconds Settings::*member) const {
    return put(member, read_number(info, text(), "a length of time (like 30s)", parse_duration_ms));
  }

  template <class Number>
  Result<void> put(Number Settings::*member, const Result<double>& value) const {
    if (!value) return value.error();
    if constexpr (std::is_same_v<Number, Milliseconds>) {
      settings.*member = Milliseconds{std::llround(*value)};
    } else {
      settings.*member = static_cast<Number>(*value);
    }
    return {};
  }
};

std::string number_text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr};
}

/// `value` in the largest unit that leaves a whole number.
std::string with_unit(double value, std::initializer_list<Unit> units_ascending) {
  std::string text = "0";
  for (const auto& unit : units_ascending) {
    if (value != 0 && std::fmod(value, unit.factor) == 0)
      text = number_text(value / unit.factor) + std::string(unit.name);
  }
  return text;
}

}  // namespace

Result<void> assign(const SettingInfo& info, std::span<const std::string> texts, Settings& settings) {
  if (!is_list(info) && texts.size() != 1) return invalid("is given " + std::to_string(texts.size()) + " times");
  return std::visit(Assign{info, texts, settings}, info.member);
}

std::optional<double> parse_duration_ms(std::string_view text) { return parse_with_unit(text, duration_units); }

std::optional<double> parse_bytes(std::string_view text) {
  const auto bytes = parse_with_unit(text, byte_units);
  return bytes && *bytes == std::floor(*bytes) ? bytes : std::nullopt;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const auto word = lower(trimmed(text));
  if (is_one_of(word, "true|yes|on|1")) return true;
  if (is_one_of(word, "false|no|off|0")) return false;
  return std::nullopt;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const auto comma = text.find(',');
    if (const auto part = trimmed(text.substr(0, comma)); !part.empty()) parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::string limits_text(const SettingInfo& info) {
  if (info.form == Form::choice) return choice_names(info.choices);
  const auto show = [&](double value) {
    if (std::holds_alternative<Milliseconds Settings::*>(info.member)) {
      return with_unit(value, {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});
    }
    if (std::holds_alternative<std::uint64_t Settings::*>(info.member)) {
      return with_unit(
          value,
          {{" bytes", 1}, {"KiB", kib}, {"MiB", kib * kib}, {"GiB", kib * kib * kib}, {"TiB", kib * kib * kib * kib}});
    }
    return number_text(value);
  };
  if (!std::isfinite(info.most)) return {};
  return show(info.least) + " to " + show(info.most) +
         (info.special_text.empty() ? std::string() : ", or " + std::string(info.special_text));
}

}  // namespace millrace::settings
