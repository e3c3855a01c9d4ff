#include "tasks/allowed_host.hpp"

#include <algorithm>
#include <charconv>

namespace millrace::tasks {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool host_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

Error refused(std::string_view text, std::string_view why) {
  return {ErrorCode::invalid_argument, "allowed host \"" + std::string(text) + "\": " + std::string(why), "http_hosts"};
}

bool covers(const AllowedHost& entry, std::string_view host) noexcept {
  const std::string_view name = entry.name;
  if (!name.starts_with("*.")) return std::ranges::equal(name, host, {}, {}, lower);
  const auto suffix = name.substr(1);
  return host.size() > suffix.size() &&
         std::ranges::equal(suffix, host.substr(host.size() - suffix.size()), {}, {}, lower);
}

}  // namespace

Result<AllowedHost> parse_allowed_host(std::string_view text) {
  AllowedHost host;
  auto rest = text;
  if (rest.ends_with("+private")) {
    host.private_addresses = true;
    rest.remove_suffix(8);
  }
  auto name = rest;
  std::string_view port;
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return refused(text, "the bracket of an IPv6 address is not closed");
    name = rest.substr(0, end + 1);
    port = rest.substr(end + 1);
  } else if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    name = rest.substr(0, colon);
    port = rest.substr(colon);
  }
  if (!port.empty()) {
    const auto digits = port.substr(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), host.port);
    if (port[0] != ':' || error != std::errc{} || end != digits.data() + digits.size() || host.port == 0)
      return refused(text, "the port must be 1 to 65535");
  }
  std::ranges::transform(name, std::back_inserter(host.name), lower);
  const bool address = name.starts_with('[');
  const auto letters = std::string_view(host.name).substr(host.name.starts_with("*.") ? 2 : 0);
  if (letters.empty()) return refused(text, "a name or address is needed");
  if (!address && !std::ranges::all_of(letters, host_character))
    return refused(text, "only letters, digits, '-', '.' and '_' (international names in their xn-- form)");
  if (host.name.ends_with('.')) host.name.pop_back();
  return host;
}

const AllowedHost* find_allowed_host(const std::vector<AllowedHost>& hosts, std::string_view host, std::uint16_t port,
                                     std::uint16_t default_port) noexcept {
  if (host.ends_with('.')) host.remove_suffix(1);
  const AllowedHost* found = nullptr;
  for (const auto& entry : hosts) {
    if ((entry.port == 0 ? default_port : entry.port) != port || !covers(entry, host)) continue;
    if (entry.private_addresses) return &entry;
    found = &entry;
  }
  return found;
}

}  // namespace millrace::tasks
