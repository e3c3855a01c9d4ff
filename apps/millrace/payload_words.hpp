#pragma once

#include <functional>
#include <span>
#include <string>

#include <millrace/result.hpp>

namespace millrace::app {

/// Reads what `@file` and `-` name.
using ReadInput = std::function<Result<std::string>(const std::string& path)>;

/// The payload that the words of `enqueue TYPE to=a@b.c n:=3 @file.json -` build, as JSON text:
///
///   name=text     a member with a text
///   name:=json    a member with any JSON value
///   @path, -      the whole payload from a file or standard input; kept byte for byte when nothing is added to it
///
/// Later words win. Without words it is `{}`. Errors: invalid_argument naming the word; those of `read`.
Result<std::string> payload_of(std::span<const std::string> words, const ReadInput& read);

/// Reads a file, or standard input for `-`. Errors: not_found.
Result<std::string> read_input(const std::string& path);

}  // namespace millrace::app
