#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace millrace {

/// The description of the API, src/server/openapi.json.
const boost::json::object& openapi();

/// Follows `$ref` within the description.
const boost::json::object& resolved(const boost::json::object& node);

/// The operation of a method (`get`) and a path of the description, or null.
const boost::json::object* find_operation(std::string_view method, std::string_view path);

/// What is wrong with `value` by `schema`, with the place; empty if nothing. Knows the part of JSON Schema that the
/// description uses: type, enum, oneOf, required, properties, additionalProperties, items, bounds and pattern.
std::string complaint(const boost::json::value& value, const boost::json::value& schema,
                      const std::string& place = "$");

/// What is wrong with an answer's body by the description of that status, or empty.
std::string answer_complaint(std::string_view method, std::string_view path, int status, std::string_view media,
                             std::string_view body);

}  // namespace millrace
