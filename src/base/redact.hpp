#pragma once

#include <string>
#include <string_view>

namespace millrace {

/// `url` fit for logs, screens and error texts: a user's password becomes `***`, and so does the value of every query
/// parameter that could carry one (`password`, `token`, `secret`, a nested URL such as `ledger`). The user's name
/// stays: `redis://app:pw@host/0` gives `redis://app:***@host/0`.
///
/// Also for text that is no URL at all: in doubt it hides too much. Never throws on content.
std::string redact_url(std::string_view url);

/// Whether `url` holds a password in its user part, so that it should not stand on a command line.
bool has_password(std::string_view url) noexcept;

}  // namespace millrace
