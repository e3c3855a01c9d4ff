#pragma once

#include <string>

#include "serving.hpp"

namespace millrace::app {

/// What `serve` says when it serves: where, what an answer means, what is less than usual.
std::string banner(Serving& serving, const settings::Resolution& resolution);

}  // namespace millrace::app
