#pragma once

#include <cstddef>
#include <string_view>

#include <millrace/result.hpp>

namespace millrace::codec {

/// How deep a payload or a result may nest. A document around it adds its own levels.
inline constexpr std::size_t value_depth_max = 32;

/// Whether `text` is one JSON value by RFC 8259, read strictly: valid UTF-8 without byte order mark, no lone
/// surrogates, no key twice in one object (by its decoded text), nothing after the value, at most `depth_max` levels of
/// objects and arrays, and every number finite as a double. Numbers are not changed: who needs one reads its digits.
///
/// Cost: one pass; memory only for the keys of the objects that are open.
/// Errors: malformed, with what is wrong and at which byte.
Result<void> check_json(std::string_view text, std::size_t depth_max = value_depth_max);

}  // namespace millrace::codec
