#pragma once

#include <string_view>

#include <millrace/error.hpp>

#include "backends/redis/reply.hpp"

namespace millrace::redis {

/// What an error answer of Redis means for the caller (F51).
///
/// unavailable         the command was not carried out: wrong node, loading, read-only, out of memory at the entry,
/// busy … durability_unknown  it may have been carried out forbidden           this user may not internal            a
/// command or script that this server does not understand: a bug, or a foreign key
Error error_of(const Reply& reply);

/// Whether its server is about to go, or is somebody's replica.
bool cannot_write(const Reply& reply) noexcept;

/// Whether it is what a subscriber is told, not an answer to a call.
bool is_message(const Reply& reply) noexcept;

/// The first word of an error answer, such as `MOVED`; empty for an answer that is none.
std::string_view code_of(const Reply& reply) noexcept;

}  // namespace millrace::redis
