#pragma once

#include <string>

#include <millrace/time.hpp>

namespace millrace {

/// A UUIDv7 (RFC 9562) in lower case: the creation time in milliseconds, then 74 random bits from the operating
/// system's generator. Sorts by time; unique without coordination. Threads: any.
std::string make_uuid(WallTime now);

}  // namespace millrace
