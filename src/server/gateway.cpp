#include "server/gateway.hpp"

#include <algorithm>
#include <iterator>

#include "access/token.hpp"
#include "net/problem.hpp"
#include "server/routes.hpp"
#include "server/services.hpp"

namespace millrace::server {
namespace {

/// Room for the other members of a task beside its payload.
constexpr std::size_t task_bytes_beside = 64 * 1024;

/// Passes the answer on and tells how long it took.
http::Responder observed(http::Responder respond, const Route& route, const GatewayOptions& options) {
  using SteadyClock = std::chrono::steady_clock;
  return http::Responder(
      [respond = std::move(respond), &route, &options, begin = SteadyClock::now()](http::Response response) mutable {
        options.answered(route, response.status, SteadyClock::now() - begin);
        respond(std::move(response));
      });
}

http::Response method_refusal(http::Method method, std::string_view allowed) {
  http::Response response;
  if (method == http::Method::options) {
    response.status = 204;
    response.content_type = {};
  } else {
    response = http::problem(ErrorCode::method_not_allowed, "this path takes " + std::string(allowed));
  }
  response.add_header("Allow", allowed);
  return response;
}

Error missing_permission(const Call& call, access::Permission permission) {
  if (!call.has_token) return {ErrorCode::unauthorized, "this needs a token"};
  return {ErrorCode::forbidden, "the token's roles do not include " + std::string(access::to_string(permission))};
}

http::Response auth_refusal(const Error& error) {
  auto response = refusal_of(error);
  if (response.status == 401) response.add_header("WWW-Authenticate", "Bearer realm=\"millrace\"");
  return response;
}

/// Finds out who asks and whether they may use the route.
Result<void> admit(Call& call, const Route& route, const GatewayOptions& options) {
  const auto header = call.request.find_header("Authorization");
  const auto token = header ? access::bearer_token(*header) : std::nullopt;
  if (!options.authenticate) {
    call.who = access::local_user();
  } else {
    if (!route.permission) return {};
    if (header && !token) return Error{ErrorCode::unauthorized, "Authorization must be Bearer and a token"};
    auto identity = options.authenticate(token, call.request.peer());
    if (!identity) return identity.error();
    call.who = std::move(*identity);
    call.has_token = token.has_value();
  }
  if (route.permission && !call.may(*route.permission)) return missing_permission(call, *route.permission);
  return {};
}

}  // namespace

std::vector<Route> all_routes(DialectSet dialects) {
  std::vector<Route> routes;
  for (auto* group : {submit_routes, task_routes, action_routes, queue_routes, fleet_routes, work_routes, meta_routes,
                      dialect_routes}) {
    const auto more = group();
    std::copy_if(more.begin(), more.end(), std::back_inserter(routes),
                 [&](const Route& route) { return route.dialect == Dialect::none || dialects.has(route.dialect); });
  }
  return routes;
}

Services::Services(Broker& broker_, const Clock& clock_, GatewayOptions options_)
    : broker(broker_),
      clock(clock_),
      options(std::move(options_)),
      router(all_routes(options.dialects)),
      submissions(broker_) {}

void Services::serve(http::Request request, http::Responder respond) {
  const auto method = request.method;
  auto match = router.find(method, request.path_segments());
  if (match.route == nullptr) {
    if (!match.allowed.empty()) return respond(method_refusal(method, match.allowed));
    if (options.pages && (method == http::Method::get || method == http::Method::head)) {
      if (auto page = options.pages(request)) return respond(std::move(*page));
    }
    return respond(http::problem(ErrorCode::not_found, "there is no such path"));
  }
  if (options.answered) respond = observed(std::move(respond), *match.route, options);
  Call call(std::move(request), std::move(respond));
  call.params = std::move(match.params);
  if (auto admitted = admit(call, *match.route, options); !admitted) return call.answer(auth_refusal(admitted.error()));
  match.route->handle(*this, std::move(call));
}

void Services::audit(const Call& call, std::string_view action, std::string_view object,
                     std::string_view result) const {
  if (!options.audit) return;
  options.audit({.actor = call.who.name,
                 .address = call.request.peer().address,
                 .action = action,
                 .object = object,
                 .result = result,
                 .request_id = call.request.request_id});
}

bool Services::is_privileged(std::string_view task_type) const {
  return std::find(options.privileged_types.begin(), options.privileged_types.end(), task_type) !=
         options.privileged_types.end();
}

std::optional<Error> Services::refuse_type(const Call& call, std::string_view task_type) const {
  if (call.may(access::Permission::submit_privileged_tasks) || !is_privileged(task_type)) return std::nullopt;
  auto error = missing_permission(call, access::Permission::submit_privileged_tasks);
  error.detail = std::string(task_type) + " reaches out of the queue: " + error.detail;
  error.field = "task_type";
  return error;
}

Gateway::Gateway(Broker& broker, const Clock& clock, GatewayOptions options)
    : services_(std::make_unique<Services>(broker, clock, std::move(options))) {}

Gateway::~Gateway() = default;

http::Handler Gateway::handler() {
  return [services = services_.get()](http::Request request, http::Responder respond) {
    const RoundSubmissions::Round round(services->submissions);
    services->serve(std::move(request), std::move(respond));
  };
}

std::function<void()> Gateway::round_ended() {
  services_->submissions.gather();
  return [services = services_.get()] { services->submissions.end_round(); };
}

std::function<std::size_t(http::Method, std::string_view)> Gateway::body_bytes_max() const {
  const auto task_bytes_max = services_->options.limits.payload_bytes_max + task_bytes_beside;
  const auto many_bytes_max = std::max(services_->options.batch_bytes_max, task_bytes_max);
  return [task_bytes_max, many_bytes_max](http::Method, std::string_view path) {
    const bool many = path.ends_with("/tasks/batch") || path.ends_with("/work");
    return many ? many_bytes_max : task_bytes_max;
  };
}

const Router& Gateway::router() const noexcept { return services_->router; }

void Gateway::drain() {
  services_->draining = true;
  services_->background.stop();
}

}  // namespace millrace::server
