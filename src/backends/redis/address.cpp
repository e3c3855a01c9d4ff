#include "backends/redis/address.hpp"

#include <charconv>
#include <optional>

#include "net/target.hpp"

namespace millrace::redis {
namespace {

Error bad(std::string why) { return {ErrorCode::invalid_argument, "the URL of redis: " + std::move(why), "broker"}; }

/// `number` from text that holds nothing else.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> decoded(std::string_view text) {
  if (!http::is_valid_target("/" + std::string(text))) return std::nullopt;
  return http::percent_decode(text);
}

/// Cuts `text` at the first `mark`; the rest is empty if there is none.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

Result<Address::Host> parse_host(std::string_view text, std::uint16_t default_port) {
  Address::Host host{std::string(text), default_port};
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (text.starts_with('[') && bracket == std::string_view::npos) return bad("'" + host.name + "' lacks its ']'");
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port || *port == 0) return bad("the port in '" + host.name + "' is not 1 to 65535");
    host.port = *port;
    text = text.substr(0, colon);
  }
  host.name = bracket == std::string_view::npos ? text : text.substr(1, bracket - 1);
  if (host.name.empty()) return bad("a host is missing");
  return host;
}

Result<void> parse_user(std::string_view text, Endpoint& endpoint) {
  const auto [user, password] = cut(text, ':');
  const auto plain_user = decoded(user);
  const auto plain_password = decoded(password);
  if (!plain_user || !plain_password) return bad("the user or the password holds a broken % escape");
  endpoint.user = *plain_user;
  endpoint.password = *plain_password;
  if (!endpoint.user.empty() && endpoint.password.empty()) return bad("a user without a password");
  return {};
}

Result<void> parse_database(std::string_view text, Endpoint& endpoint) {
  if (text.empty()) return {};
  const auto number = parse_number<int>(text);
  if (!number || *number < 0) return bad("the database '" + std::string(text) + "' is not a number from 0");
  endpoint.database = *number;
  return {};
}

}  // namespace

Endpoint Address::endpoint(const Host& host) const {
  auto endpoint = common;
  endpoint.host = host.name;
  endpoint.port = host.port;
  return endpoint;
}

Result<Address> parse_address(std::string_view scheme, std::string_view text) {
  Address address;
  if (scheme == "redis+sentinel") {
    address.kind = Address::Kind::sentinel;
  } else if (scheme == "redis+cluster") {
    address.kind = Address::Kind::cluster;
  } else if (scheme == "rediss") {
    address.common.tls = true;
  } else if (scheme != "redis") {
    return bad("the scheme is not redis, rediss, redis+sentinel or redis+cluster");
  }
  if (!text.starts_with("//")) return bad("'//' must follow the scheme");
  auto [authority, path] = cut(text.substr(2), '/');
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto parsed = parse_user(authority.substr(0, at), address.common); !parsed) return std::move(parsed).error();
    authority.remove_prefix(at + 1);
  }
  const std::uint16_t default_port = address.kind == Address::Kind::sentinel ? 26379 : 6379;
  for (auto rest = authority;;) {
    const auto comma = rest.find(',');
    auto host = parse_host(rest.substr(0, comma), default_port);
    if (!host) return std::move(host).error();
    address.hosts.push_back(std::move(*host));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (address.kind == Address::Kind::single && address.hosts.size() != 1) return bad("one server has one host");
  if (address.kind == Address::Kind::sentinel) {
    const auto [name, database] = cut(path, '/');
    const auto plain = decoded(name);
    if (!plain || plain->empty()) return bad("the name of the primary must follow the Sentinels: /mymaster");
    address.primary = *plain;
    path = database;
  }
  if (auto parsed = parse_database(path, address.common); !parsed) return std::move(parsed).error();
  if (address.kind == Address::Kind::cluster && address.common.database != 0)
    return bad("a cluster has database 0 only");
  address.common = address.endpoint(address.hosts.front());
  return address;
}

}  // namespace millrace::redis
