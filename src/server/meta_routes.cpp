#include "codec/time_text.hpp"
#include "net/problem.hpp"
#include "server/documents.hpp"
#include "server/routes.hpp"
#include "server/services.hpp"

namespace millrace::server {
namespace {

using access::Permission;

/// Pages run our own scripts only, are framed by nobody and tell nobody where they came from.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

http::Response document_response(const Document& document) {
  http::Response response;
  response.content_type = document.content_type;
  response.body = document.bytes;
  response.add_header("X-Content-Type-Options", "nosniff");
  response.add_header("Cache-Control", "no-cache");
  if (document.content_type.starts_with("text/html")) {
    response.add_header("Content-Security-Policy", page_policy);
    response.add_header("Referrer-Policy", "no-referrer");
  }
  return response;
}

void answer_document(Call call, std::string_view name) {
  const auto* document = find_document(name);
  if (document == nullptr) return call.refuse({ErrorCode::not_found, "there is no such file"});
  call.answer(document_response(*document));
}

void get_openapi(Services&, Call call) { answer_document(std::move(call), "openapi.json"); }

void get_docs(Services&, Call call) { answer_document(std::move(call), "docs.html"); }

void get_docs_file(Services&, Call call) {
  const std::string name = call.param();
  answer_document(std::move(call), name);
}

void get_health(Services& services, Call call) {
  std::string body;
  {
    codec::ObjectWriter object(body);
    object.text("status", "ok");
    object.text("service", "producer");
    object.time("timestamp", services.clock.wall_now());
    object.text("version", services.options.version);
  }
  call.answer(200, std::move(body));
}

/// The process runs.
void get_livez(Services&, Call call) { call.answer(200, R"({"status":"ok"})"); }

/// It can take work: it is not draining, in-process workers have declared themselves and the broker answers.
void get_readyz(Services& services, Call call) {
  if (services.draining) return call.refuse({ErrorCode::unavailable, "draining"});
  if (services.options.ready) {
    if (auto ready = services.options.ready(); !ready) return call.refuse(ready.error());
  }
  services.broker.stats([call = std::move(call)](const Result<Stats>& stats) mutable {
    if (!stats) return call.refuse(stats.error());
    call.answer(200, R"({"status":"ok"})");
  });
}

void get_metrics(Services& services, Call call) {
  if (!services.options.metrics) return call.refuse({ErrorCode::not_found, "this server has no metrics"});
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = services.options.metrics();
  call.answer(std::move(response));
}

bool wants_html(const http::Request& request) {
  return request.header("Accept").find("text/html") != std::string_view::npos;
}

void get_root(Services& services, Call call) {
  if (wants_html(call.request)) {
    if (services.options.pages) {
      if (auto page = services.options.pages(call.request)) return call.answer(std::move(*page));
    }
    http::Response response;
    response.status = 307;
    response.content_type = {};
    response.add_header("Location", "/docs");
    response.add_header("Vary", "Accept");
    return call.answer(std::move(response));
  }
  std::string body;
  {
    codec::ObjectWriter object(body);
    object.text("status", "ok");
    object.text("service", "millrace");
    object.text("version", services.options.version);
    codec::ObjectWriter endpoints(object.key("endpoints"));
    for (const auto& route : services.router.routes()) {
      endpoints.text(std::string(http::to_text(route.method)).append(" ").append(route.path), route.name);
    }
  }
  auto response = json_response(200, std::move(body));
  response.add_header("Vary", "Accept");
  call.answer(std::move(response));
}

}  // namespace

std::vector<Route> meta_routes() {
  using enum http::Method;
  return {
      {get, "/", "get_root", {}, get_root},
      {get, "/api/v1/health", "get_health", {}, get_health},
      {get, "/livez", "get_livez", {}, get_livez},
      {get, "/readyz", "get_readyz", {}, get_readyz},
      {get, "/metrics", "get_metrics", Permission::read_metrics, get_metrics},
      {get, "/openapi.json", "get_openapi", {}, get_openapi},
      {get, "/docs", "get_docs", {}, get_docs},
      {get, "/docs/{file}", "get_docs_file", {}, get_docs_file},
  };
}

}  // namespace millrace::server
