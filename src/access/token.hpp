#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <millrace/result.hpp>

#include "access/permission.hpp"

namespace millrace::access {

/// Longest token in a header, in bytes.
inline constexpr std::size_t token_bytes_max = 512;

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256: our tokens are random, so a slow hash would protect nothing more.
Digest digest_of(std::string_view token);
std::string to_hex(const Digest& digest);
/// 64 hexadecimal digits, either case.
std::optional<Digest> parse_digest(std::string_view hex) noexcept;

/// A token that was just made. `secret` is shown once and kept nowhere.
struct NewToken {
  std::string secret = {};     // `mrt_` and 256 random bits in base64url
  std::string file_line = {};  // `name:role,role:sha256-hex`, for the token file
};

/// Errors: invalid_argument when the name breaks its alphabet or no role is given; unavailable without randomness.
Result<NewToken> create_token(std::string_view name, std::span<const Role> roles);

/// The token of an `Authorization` header's value, a view into it: the scheme `Bearer` in any case, one or more spaces,
/// then only characters that a token may have. Nothing otherwise.
std::optional<std::string_view> bearer_token(std::string_view header_value) noexcept;

}  // namespace millrace::access
