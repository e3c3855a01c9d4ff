#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>
#include <millrace/task.hpp>

#include "access/audit.hpp"
#include "access/permission.hpp"
#include "base/clock.hpp"
#include "broker/broker.hpp"
#include "net/http.hpp"
#include "server/dialect.hpp"
#include "server/router.hpp"

namespace millrace::server {

/// Who the sender of a request is. `token` is what stood behind `Bearer`, if anything.
/// Errors: unauthorized (no token where one is needed, or an unknown one); overloaded (too many wrong ones).
/// Threads: any; must not block.
using Authenticate =
    std::function<Result<access::Identity>(std::optional<std::string_view> token, const http::Peer& peer)>;

struct GatewayOptions {
  // Changes behaviour.
  std::string version = "0.0.0";
  Authenticate authenticate = {};  // empty: no tokens are configured, everybody is `access::local_user()`
  DialectSet dialects = DialectSet::all();
  TaskLimits limits = {};
  TaskSpec defaults = {};                          // what a task is where its submission does not say
  std::size_t batch_items_max = 10'000;            // tasks of one request
  std::size_t batch_bytes_max = 16 * 1024 * 1024;  // its body, and that of a worker's call
  /// Task types that only `Permission::submit_privileged_tasks` may submit.
  std::vector<std::string> privileged_types = {"exec", "http_request"};

  // Joins the gateway to the rest of the program; each may stay empty.
  std::function<Result<void>()> ready = {};   // why `/readyz` is not 200 yet
  std::function<std::string()> metrics = {};  // the text of `/metrics`
  std::function<void(const access::AuditRecord&)> audit = {};
  /// Pages for people: asked for a GET that no route takes, and for `/` when the client wants HTML.
  std::function<std::optional<http::Response>(const http::Request&)> pages = {};
  /// Called on each answer of a route, for metrics. Any thread; must not block.
  std::function<void(const Route&, int status, std::chrono::nanoseconds took)> answered = {};
};

/// The REST API over a broker: finds the route, checks who asks, reads, calls the broker, writes. It knows no task
/// rules.
///
/// Threads: the handler may be called from any. Ownership: keeps a reference to broker and clock, which outlive it. The
/// HTTP server is stopped, and the broker answers or is closed, before the gateway goes.
class Gateway {
 public:
  Gateway(Broker& broker, const Clock& clock, GatewayOptions options = GatewayOptions());
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  http::Handler handler();
  /// For `HttpServerOptions::round_ended`; a server that has it is the only one to call the handler. Single submissions
  /// that arrive together then go to the broker in one call, which saves a quarter of the processor time of each.
  std::function<void()> round_ended();
  /// Largest body that a route takes, for `HttpServerOptions::body_bytes_max`.
  std::function<std::size_t(http::Method, std::string_view path)> body_bytes_max() const;
  const Router& router() const noexcept;
  /// Bulk operations end after their current batch, and `/readyz` says no.
  void drain();

 private:
  std::unique_ptr<Services> services_;
};

/// Every route of the API with these dialects.
std::vector<Route> all_routes(DialectSet dialects = DialectSet::all());

}  // namespace millrace::server
