#pragma once

#include <string>
#include <string_view>

#include <millrace/result.hpp>

#include "supervise/descriptor.hpp"

namespace millrace::supervise {

/// An anonymous file of fixed size (memfd): neither side can shrink it under the other's mapping.
/// Errors: unavailable.
Result<Descriptor> make_memory_file(const char* name, std::size_t bytes);

/// An anonymous file that holds `text` and can never change: how a child gets its settings, secrets included, without
/// showing them in its command line or environment. Errors: unavailable.
Result<Descriptor> make_sealed_text(const char* name, std::string_view text);

/// All of the file's bytes, at most 16 MiB. Errors: unavailable.
Result<std::string> read_text(const Descriptor& file);

}  // namespace millrace::supervise
