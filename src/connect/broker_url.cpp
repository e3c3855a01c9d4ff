#include "connect/broker_url.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace millrace {
namespace {

Error broken(std::string detail) { return Error{ErrorCode::invalid_argument, std::move(detail), "url"}; }

bool decode_escapes(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    const auto digits = text.substr(std::min(i + 1, text.size()), 2);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || read.ptr != digits.data() + 2) return false;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return true;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-'; });
}

}  // namespace

std::string_view BrokerUrl::option(std::string_view name) const noexcept {
  const auto found = std::ranges::find(options, name, &std::pair<std::string, std::string>::first);
  return found == options.end() ? std::string_view() : std::string_view(found->second);
}

Result<void> BrokerUrl::only_options(std::initializer_list<std::string_view> known) const {
  for (const auto& [name, value] : options) {
    if (std::ranges::find(known, std::string_view(name)) != known.end()) continue;
    std::string list;
    for (const auto word : known) list.append(list.empty() ? "" : ", ").append(word);
    return broken("a " + scheme + ": URL has no option '" + name + "'; it knows " + (list.empty() ? "none" : list));
  }
  return {};
}

Result<BrokerUrl> parse_broker_url(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) {
    return broken("'" + std::string(text) +
                  "' is no broker URL; write for example file:./data or http://127.0.0.1:8000");
  }
  BrokerUrl url;
  url.text = text;
  for (const char c : text.substr(0, colon)) {
    url.scheme.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  auto rest = text.substr(colon + 1);
  const auto question = std::min(rest.find('?'), rest.size());
  url.address = rest.substr(0, question);
  rest.remove_prefix(std::min(question + 1, rest.size()));
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    auto& [name, value] = url.options.emplace_back();
    if (!decode_escapes(pair.substr(0, equals), name) ||
        !decode_escapes(pair.substr(std::min(equals + 1, pair.size())), value)) {
      return broken("a broken escape in '" + std::string(pair) + "'");
    }
  }
  return url;
}

}  // namespace millrace
