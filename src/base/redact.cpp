#include "base/redact.hpp"

#include <algorithm>
#include <cctype>

namespace millrace {
namespace {

constexpr std::string_view hidden = "***";

/// Where the user part stands: [begin, end), `end` being the position of the `@`; empty when there is none.
struct UserInfo {
  std::size_t begin = 0;
  std::size_t end = 0;
};

UserInfo find_user_info(std::string_view url) noexcept {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const auto begin = scheme + 3;
  // A password with an unescaped `/` or `?` is wrong, and still a password: the last `@` before `#` decides.
  const auto at = url.substr(begin, url.find('#', begin) - begin).rfind('@');
  if (at == std::string_view::npos) return {};
  const auto path = url.find_first_of("/?", begin);
  const auto first_at = url.find('@', begin);
  // An `@` only inside the query belongs to a parameter, which is hidden by its name.
  if (path != std::string_view::npos && path < first_at && url[path] == '?') return {};
  if (path != std::string_view::npos && first_at < path && begin + at > path) {
    return {begin, url.substr(0, path).rfind('@')};
  }
  return {begin, begin + at};
}

bool may_carry_secret(std::string_view name, std::string_view value) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string_view part : {"pass", "token", "secret", "key", "auth", "ledger", "cred"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return value.find('@') != std::string_view::npos || value.find("%40") != std::string_view::npos;
}

void append_query(std::string& out, std::string_view query) {
  while (!query.empty()) {
    const auto size = query.find_first_of("&#");
    const auto parameter = query.substr(0, size);
    const auto equals = parameter.find('=');
    if (equals != std::string_view::npos && may_carry_secret(parameter.substr(0, equals), parameter.substr(equals))) {
      out.append(parameter.substr(0, equals + 1)).append(hidden);
    } else {
      out.append(parameter);
    }
    if (size == std::string_view::npos) return;
    out.push_back(query[size]);
    query.remove_prefix(size + 1);
  }
}

}  // namespace

bool has_password(std::string_view url) noexcept {
  const auto user = find_user_info(url);
  const auto colon = url.substr(user.begin, user.end - user.begin).find(':');
  return user.end > user.begin && colon != std::string_view::npos && user.begin + colon + 1 < user.end;
}

std::string redact_url(std::string_view url) {
  std::string out;
  out.reserve(url.size() + hidden.size());
  const auto user = find_user_info(url);
  if (user.end > user.begin) {
    const auto text = url.substr(user.begin, user.end - user.begin);
    const auto colon = text.find(':');
    out.append(url.substr(0, user.begin)).append(text.substr(0, colon));
    if (colon != std::string_view::npos) out.append(":").append(hidden);
    url.remove_prefix(user.end);
  }
  const auto question = url.find('?');
  out.append(url.substr(0, question));
  if (question == std::string_view::npos) return out;
  out.push_back('?');
  append_query(out, url.substr(question + 1));
  return out;
}

}  // namespace millrace
