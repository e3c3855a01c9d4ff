#pragma once

#include <string>

namespace millrace::settings {

/// docs/configuration.md, from the tables.
std::string configuration_markdown();

/// .env.example, from the table: every variable with its default, all of them commented out.
std::string env_example();

}  // namespace millrace::settings
