#pragma once

#include <string_view>

namespace millrace::server {

/// A file that was put into the program when it was built.
struct Document {
  std::string_view name = {};  // `openapi.json`, `swagger-ui.css`
  std::string_view content_type = {};
  std::string_view bytes = {};
};

/// The embedded file of this name, or null.
const Document* find_document(std::string_view name) noexcept;

}  // namespace millrace::server
