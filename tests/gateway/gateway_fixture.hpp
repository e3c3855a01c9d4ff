#pragma once

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "engine/engine.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "server/gateway.hpp"
#include "tests/gateway/schema.hpp"

namespace millrace {

using testing::HasSubstr;

/// A server on a free port of loopback over an engine in memory, and a client. Every answer of a described route is
/// held against the description.
class GatewayFixture : public testing::Test {
 protected:
  void SetUp() override { start({}); }
  void TearDown() override { stop(); }

  void start(server::GatewayOptions options) {
    stop();
    broker_ = engine::open_memory_engine({});
    gateway_ = std::make_unique<server::Gateway>(*broker_, clock_, std::move(options));
    http::HttpServerOptions listening;
    listening.listen = {"127.0.0.1:0"};
    listening.body_bytes_max = gateway_->body_bytes_max();
    server_ = std::make_unique<http::HttpServer>(std::move(listening), gateway_->handler());
    ASSERT_TRUE(server_->start());
    client_ = std::make_unique<http::HttpClient>("http://" + server_->bound_addresses().front());
  }
  void stop() {
    client_.reset();
    if (broker_) broker_->drain();
    if (server_) server_->stop();
    if (broker_) broker_->close();
    server_.reset();
    gateway_.reset();
    broker_.reset();
  }

  http::ClientResponse send(std::string_view method, std::string_view target, std::string_view body = {},
                            std::string_view token = {}, std::string_view content_type = "application/json") {
    http::ClientRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.content_type = content_type;
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + std::string(token));
    auto response = client_->request(request);
    EXPECT_TRUE(response) << (response ? "" : to_string(response.error()));
    if (!response) return {};
    hold_against_description(method, target, *response);
    return std::move(*response);
  }
  http::ClientResponse get(std::string_view target) { return send("GET", target); }
  http::ClientResponse post(std::string_view target, std::string_view body = {}) { return send("POST", target, body); }
  boost::json::object get_json(std::string_view target) { return boost::json::parse(get(target).body).as_object(); }
  boost::json::object post_json(std::string_view target, std::string_view body = {}) {
    return boost::json::parse(post(target, body).body).as_object();
  }

  /// Leases up to `want` tasks of this type as worker `instance` and gives the call's answer.
  boost::json::object lease(std::string_view type, int want = 1, std::string_view instance = "w1", double wait = 0) {
    return post_json("/api/v1/work", R"({"worker":{"instance":")" + std::string(instance) + R"("},"types":[")" +
                                         std::string(type) + R"("],"want":)" + std::to_string(want) + R"(,"wait":)" +
                                         std::to_string(wait) + "}");
  }
  /// Leases one task of this type and ends its attempt with these members of a settle item.
  std::string settle_one(std::string_view type, std::string_view members) {
    auto answer = lease(type);
    if (answer.at("leases").as_array().empty()) return "no lease";
    const auto& lease = answer.at("leases").as_array().front().as_object();
    const std::string token(lease.at("token").as_string());
    auto settled = post_json("/api/v1/work", R"({"worker":{"instance":"w1"},"settle":[{"token":")" + token + "\"," +
                                                 std::string(members) + "}]}");
    return std::string(settled.at("settled").as_array().front().as_object().at("result").as_string());
  }

  static std::string text(const boost::json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
  }

  SystemClock clock_;
  std::shared_ptr<engine::Engine> broker_;
  std::unique_ptr<server::Gateway> gateway_;
  std::unique_ptr<http::HttpServer> server_;
  std::unique_ptr<http::HttpClient> client_;

 private:
  void hold_against_description(std::string_view method, std::string_view target, const http::ClientResponse& answer) {
    const http::Request request(method, target);
    const auto match = gateway_->router().find(request.method, request.path_segments());
    if (match.route == nullptr || request.method == http::Method::head) return;
    std::string name(method);
    for (auto& c : name) c = static_cast<char>(std::tolower(c));
    if (match.route->path == "/docs/{file}") return;
    const auto wrong =
        answer_complaint(name, match.route->path, answer.status, answer.header("Content-Type"), answer.body);
    EXPECT_EQ(wrong, "") << method << " " << target << " answered " << answer.status << " " << answer.body;
  }
};

}  // namespace millrace
