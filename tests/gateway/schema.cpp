#include "tests/gateway/schema.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

namespace millrace {
namespace {

namespace json = boost::json;

json::object load() {
  std::ifstream file(OPENAPI_FILE);
  std::stringstream text;
  text << file.rdbuf();
  return json::parse(text.str()).as_object();
}

bool has_type(const json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  return type == "number" && value.is_number();
}

bool has_any_type(const json::value& value, const json::value& types) {
  if (types.is_string()) return has_type(value, types.as_string());
  return std::any_of(types.as_array().begin(), types.as_array().end(),
                     [&](const json::value& type) { return has_type(value, type.as_string()); });
}

std::string number_complaint(double number, const json::object& schema) {
  const auto bound = [&](const char* name) { return schema.at(name).to_number<double>(); };
  if (schema.contains("minimum") && number < bound("minimum")) return "below the minimum";
  if (schema.contains("maximum") && number > bound("maximum")) return "above the maximum";
  return {};
}

std::string string_complaint(const std::string& text, const json::object& schema) {
  if (const auto* pattern = schema.if_contains("pattern");
      pattern != nullptr && !std::regex_search(text, std::regex(pattern->as_string().c_str()))) {
    return "does not match the pattern";
  }
  if (const auto* most = schema.if_contains("maxLength");
      most != nullptr && text.size() > most->to_number<std::size_t>())
    return "too long";
  if (const auto* least = schema.if_contains("minLength");
      least != nullptr && text.size() < least->to_number<std::size_t>())
    return "too short";
  return {};
}

std::string object_complaint(const json::object& object, const json::object& schema, const std::string& place) {
  if (const auto* required = schema.if_contains("required")) {
    for (const auto& name : required->as_array())
      if (!object.contains(name.as_string())) return place + " lacks " + name.as_string().c_str();
  }
  const auto* properties = schema.if_contains("properties");
  const auto* others = schema.if_contains("additionalProperties");
  for (const auto& [name, value] : object) {
    const auto where = place + "." + std::string(name);
    const json::value* rule = properties != nullptr ? properties->as_object().if_contains(name) : nullptr;
    if (rule == nullptr && others != nullptr && others->is_bool() && !others->as_bool()) return where + " is unknown";
    if (rule == nullptr && others != nullptr && others->is_object()) rule = others;
    if (rule == nullptr) continue;
    if (auto wrong = complaint(value, *rule, where); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace

const json::object& openapi() {
  static const json::object api = load();
  return api;
}

const json::object& resolved(const json::object& node) {
  const auto* reference = node.if_contains("$ref");
  if (reference == nullptr) return node;
  std::string_view path = reference->as_string();
  path.remove_prefix(2);  // "#/"
  const json::object* at = &openapi();
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    at = &at->at(path.substr(0, end)).as_object();
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return resolved(*at);
}

const json::object* find_operation(std::string_view method, std::string_view path) {
  const auto* methods = openapi().at("paths").as_object().if_contains(path);
  const auto* operation = methods != nullptr ? methods->as_object().if_contains(method) : nullptr;
  return operation != nullptr ? &operation->as_object() : nullptr;
}

std::string complaint(const json::value& value, const json::value& rule, const std::string& place) {
  const auto& schema = resolved(rule.as_object());
  if (const auto* type = schema.if_contains("type"); type != nullptr && !has_any_type(value, *type)) {
    return place + " is not of type " + json::serialize(*type);
  }
  if (const auto* words = schema.if_contains("enum")) {
    const auto& list = words->as_array();
    if (std::find(list.begin(), list.end(), value) == list.end())
      return place + " is none of " + json::serialize(*words);
  }
  if (const auto* choices = schema.if_contains("oneOf")) {
    std::string wrong;
    int fitting = 0;
    for (const auto& choice : choices->as_array()) {
      const auto one = complaint(value, choice, place);
      fitting += one.empty() ? 1 : 0;
      wrong.append(" / ").append(one);
    }
    if (fitting != 1) return place + " fits " + std::to_string(fitting) + " of oneOf" + wrong;
  }
  std::string wrong;
  if (value.is_number()) wrong = number_complaint(value.to_number<double>(), schema);
  if (value.is_string()) wrong = string_complaint(value.as_string().c_str(), schema);
  if (!wrong.empty()) return place + " is " + wrong;
  if (value.is_object()) return object_complaint(value.as_object(), schema, place);
  if (const auto* items = schema.if_contains("items"); items != nullptr && value.is_array()) {
    for (std::size_t i = 0; i < value.as_array().size(); ++i) {
      wrong = complaint(value.as_array()[i], *items, place + "[" + std::to_string(i) + "]");
      if (!wrong.empty()) return wrong;
    }
  }
  return {};
}

std::string answer_complaint(std::string_view method, std::string_view path, int status, std::string_view media,
                             std::string_view body) {
  const auto* operation = find_operation(method, path);
  if (operation == nullptr) return "there is no such operation";
  const auto* response = operation->at("responses").as_object().if_contains(std::to_string(status));
  if (response == nullptr) return "status " + std::to_string(status) + " is not described";
  const auto* content = resolved(response->as_object()).if_contains("content");
  const auto* described = content != nullptr ? content->as_object().if_contains(media) : nullptr;
  if (described == nullptr) return "media type " + std::string(media) + " is not described";
  if (media.find("json") == media.npos) return {};
  return complaint(json::parse(body), described->as_object().at("schema"));
}

}  // namespace millrace
