#pragma once

#include <memory>

#include "command.hpp"

namespace millrace::app {

/// The whole command line. Parsing it fills `chosen`, which outlives it; so do completion scripts and the manual read
/// it, so that neither can go stale.
std::unique_ptr<CLI::App> make_program(Chosen& chosen);

}  // namespace millrace::app
