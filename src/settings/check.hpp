#pragma once

#include "settings/resolve.hpp"

namespace millrace::settings {

/// The rules between settings, each a sentence that names them: adds to `problems` and `warnings` of `resolution`.
void check(const Inputs& inputs, Resolution& resolution);

/// Whether `address` (`host:port`, `[v6]:port`, `unix:/path`) can be reached from this machine only.
bool is_local_address(std::string_view address);

}  // namespace millrace::settings
