#pragma once

#include <string_view>

#include <millrace/error.hpp>

#include "settings/resolve.hpp"

namespace millrace::app {

/// Says on standard error why the command did not do its work, with the error's name and what may help.
/// Returns the exit status.
int complain(const Error& error);
int complain_of_usage(std::string_view what);

/// Tells notes, warnings and problems of the settings on standard error. False if the command must not run.
bool accept_settings(const settings::Resolution& resolution);

}  // namespace millrace::app
