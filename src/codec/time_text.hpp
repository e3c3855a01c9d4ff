#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <millrace/time.hpp>

namespace millrace::codec {

/// Appends RFC 3339 in UTC with milliseconds: `2026-11-22T01:13:00.123Z`.
void append_time(std::string& out, WallTime time);
std::string time_text(WallTime time);

/// RFC 3339 with any fraction (cut to milliseconds) and any offset; also without an offset, which means UTC. A leap
/// second is the second after it. Years 1970 to 9999.
std::optional<WallTime> parse_time(std::string_view text);

/// Appends a duration in seconds: `30`, `29.8`.
void append_seconds(std::string& out, Milliseconds duration);

/// Seconds as given by a client to milliseconds, rounded up: nothing is early. Nothing if negative, not finite or
/// longer than `duration_max`.
std::optional<Milliseconds> from_seconds(double seconds);

}  // namespace millrace::codec
