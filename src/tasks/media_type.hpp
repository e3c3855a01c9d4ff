#pragma once

#include <string_view>

namespace millrace::tasks {

/// The media type of a file whose first bytes are `head` (4 KiB are plenty). Known signatures win over the extension of
/// `name`, which only tells kinds of text apart: content decides what is binary.
///
/// is_text  whether the whole file is UTF-8 without NUL
std::string_view media_type(std::string_view name, std::string_view head, bool is_text) noexcept;

}  // namespace millrace::tasks
