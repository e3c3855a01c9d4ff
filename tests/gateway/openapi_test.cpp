#include <set>

#include <gtest/gtest.h>

#include "codec/json_task.hpp"
#include "codec/json_work.hpp"
#include "server/gateway.hpp"
#include "tests/gateway/schema.hpp"

namespace millrace {
namespace {

namespace json = boost::json;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(c));
  return out;
}

/// Calls `each(method, path, operation)`.
template <class Each>
void each_operation(Each&& each) {
  for (const auto& [path, methods] : openapi().at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      each(std::string(method), std::string(path), operation.as_object());
    }
  }
}

/// Calls `each(content, place)` for every media type object of an operation.
template <class Each>
void each_content(const json::object& operation, const std::string& name, Each&& each) {
  const auto visit = [&](const json::object& holder, const std::string& place) {
    const auto* content = resolved(holder).if_contains("content");
    if (content == nullptr) return;
    for (const auto& [media, described] : content->as_object())
      each(described.as_object(), place + " " + std::string(media));
  };
  if (const auto* body = operation.if_contains("requestBody")) visit(body->as_object(), name + " body");
  for (const auto& [status, response] : operation.at("responses").as_object()) {
    visit(response.as_object(), name + " " + std::string(status));
  }
}

TEST(OpenApi, DescribesEveryRouteWithItsPermissionAndNothingElse) {
  std::set<std::string> routes, described;
  for (const auto& route : server::all_routes()) {
    const auto permission = route.permission ? access::to_string(*route.permission) : "";
    routes.insert(lower(http::to_text(route.method)) + " " + std::string(route.path) + " " + std::string(route.name) +
                  " " + std::string(permission));
  }
  each_operation([&](const std::string& method, const std::string& path, const json::object& operation) {
    described.insert(method + " " + path + " " + operation.at("operationId").as_string().c_str() + " " +
                     operation.at("x-permission").as_string().c_str());
  });
  EXPECT_EQ(routes, described);
}

TEST(OpenApi, DescribesEveryPartOfAPathThatVaries) {
  each_operation([&](const std::string& method, const std::string& path, const json::object& operation) {
    std::set<std::string> in_path, described;
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
      in_path.insert(path.substr(at + 1, path.find('}', at) - at - 1));
    }
    if (const auto* parameters = operation.if_contains("parameters")) {
      for (const auto& parameter : parameters->as_array()) {
        const auto& one = resolved(parameter.as_object());
        if (one.at("in") == "path") described.insert(one.at("name").as_string().c_str());
      }
    }
    EXPECT_EQ(in_path, described) << method << " " << path;
  });
}

TEST(OpenApi, HasExamplesThatObeyTheirSchemas) {
  int seen = 0;
  each_operation([&](const std::string& method, const std::string& path, const json::object& operation) {
    each_content(operation, method + " " + path, [&](const json::object& content, const std::string& place) {
      if (const auto* example = content.if_contains("example")) {
        EXPECT_EQ(complaint(*example, content.at("schema")), "") << place;
        ++seen;
      }
      if (const auto* examples = content.if_contains("examples")) {
        for (const auto& [name, example] : examples->as_object()) {
          EXPECT_EQ(complaint(example.as_object().at("value"), content.at("schema")), "")
              << place << " " << std::string(name);
          ++seen;
        }
      }
    });
  });
  EXPECT_GT(seen, 50);
}

TEST(OpenApi, HasARequestExampleForEveryBody) {
  each_operation([&](const std::string& method, const std::string& path, const json::object& operation) {
    const auto* body = operation.if_contains("requestBody");
    if (body == nullptr) return;
    const auto& content = body->as_object().at("content").as_object().at("application/json").as_object();
    EXPECT_TRUE(content.contains("example") || content.contains("examples")) << method << " " << path;
  });
}

TEST(OpenApi, NamesTheMembersOfATaskAsTheReaderDoes) {
  const auto& properties = openapi()
                               .at("components")
                               .as_object()
                               .at("schemas")
                               .as_object()
                               .at("TaskSubmission")
                               .as_object()
                               .at("properties")
                               .as_object();
  for (const auto& [name, schema] : properties) {
    if (name == "task_type") continue;
    const auto task = codec::read_task(R"({"task_type":"t",")" + std::string(name) + R"(":null})");
    EXPECT_TRUE(task) << std::string(name);
  }
  EXPECT_FALSE(codec::read_task(R"({"task_type":"t","other":null})"));
}

TEST(OpenApi, NamesEveryErrorCode) {
  const auto& codes = openapi()
                          .at("components")
                          .as_object()
                          .at("schemas")
                          .as_object()
                          .at("Problem")
                          .as_object()
                          .at("properties")
                          .as_object()
                          .at("code")
                          .as_object()
                          .at("enum")
                          .as_array();
  std::set<std::string> described, known;
  for (const auto& code : codes) described.insert(code.as_string().c_str());
  for (const auto& row : error_table()) known.insert(std::string(row.name));
  EXPECT_EQ(described, known);
}

}  // namespace
}  // namespace millrace
