#include "server/router.hpp"

#include <algorithm>

namespace millrace::server {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (path.size() > 1) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

bool is_param(std::string_view part) { return part.starts_with('{'); }

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string>& parts) {
  return std::equal(
      pattern.begin(), pattern.end(), parts.begin(), parts.end(),
      [](std::string_view want, const std::string& part) { return is_param(want) ? !part.empty() : want == part; });
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const auto& route : routes_) {
    const auto parts = split(route.path);
    const auto same = std::find_if(patterns_.begin(), patterns_.end(),
                                   [&](const Pattern& pattern) { return pattern.parts == parts; });
    auto& pattern = same != patterns_.end() ? *same : patterns_.emplace_back(Pattern{parts, {}});
    pattern.routes.push_back(&route);
  }
  std::stable_partition(patterns_.begin(), patterns_.end(), [](const Pattern& pattern) {
    return std::none_of(pattern.parts.begin(), pattern.parts.end(), is_param);
  });
}

const Router::Pattern* Router::find_pattern(const std::vector<std::string>& parts) const {
  const auto found = std::find_if(patterns_.begin(), patterns_.end(),
                                  [&](const Pattern& pattern) { return matches(pattern.parts, parts); });
  return found == patterns_.end() ? nullptr : &*found;
}

std::string Router::methods_of(const Pattern& pattern) {
  std::string methods;
  for (const auto* route : pattern.routes) {
    methods.append(http::to_text(route->method)).append(", ");
    if (route->method == http::Method::get) methods.append("HEAD, ");
  }
  return methods.append("OPTIONS");
}

Router::Match Router::find(http::Method method, const std::vector<std::string>& parts) const {
  Match match;
  const auto* pattern = find_pattern(parts);
  if (pattern == nullptr) return match;
  const auto wanted = method == http::Method::head ? http::Method::get : method;
  const auto route = std::find_if(pattern->routes.begin(), pattern->routes.end(),
                                  [&](const Route* candidate) { return candidate->method == wanted; });
  if (route == pattern->routes.end()) {
    match.allowed = methods_of(*pattern);
    return match;
  }
  match.route = *route;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (is_param(pattern->parts[i])) match.params.push_back(parts[i]);
  }
  return match;
}

}  // namespace millrace::server
