#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/permission.hpp"
#include "net/http.hpp"
#include "server/call.hpp"
#include "server/dialect.hpp"

namespace millrace::server {

class Services;

/// One operation of the API. The table of all routes is what openapi.json is compared with.
struct Route {
  http::Method method = http::Method::get;
  std::string_view path = {};                         // `/api/v1/tasks/{task_id}`; braces match one part
  std::string_view name = {};                         // the operation's name in openapi.json, logs and metrics
  std::optional<access::Permission> permission = {};  // nothing: anybody may
  void (*handle)(Services&, Call) = nullptr;
  Dialect dialect = Dialect::none;
};

/// Finds the route of a request. Immutable once built; used by all threads.
class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;          // null: no such path, or not with this method
    std::vector<std::string> params = {};  // decoded, in the order of the braces
    std::string allowed = {};              // `GET, HEAD, OPTIONS`, when the path exists but the method does not
  };
  /// `parts` are the decoded parts of the path, `Request::path_segments`. HEAD finds the route of GET.
  Match find(http::Method method, const std::vector<std::string>& parts) const;

  std::span<const Route> routes() const noexcept { return routes_; }

 private:
  struct Pattern {
    std::vector<std::string_view> parts;
    std::vector<const Route*> routes;  // one for each method
  };
  static std::string methods_of(const Pattern& pattern);
  const Pattern* find_pattern(const std::vector<std::string>& parts) const;

  std::vector<Route> routes_;
  std::vector<Pattern> patterns_;  // those without braces first: `/tasks/batch` is not a task
};

}  // namespace millrace::server
