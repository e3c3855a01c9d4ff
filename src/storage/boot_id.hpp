#pragma once

#include <string>

namespace millrace::storage {

/// The kernel's name for this life of the machine, from power-on to power-off; empty if it has none.
std::string boot_id();

}  // namespace millrace::storage
