#include "access/token.hpp"

#include <algorithm>
#include <cctype>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <millrace/names.hpp>

namespace millrace::access {
namespace {

constexpr std::string_view token_prefix = "mrt_";

std::string base64url(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const auto byte : bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 6; count -= 6) out.push_back(letters[(bits >> (count - 6)) & 63]);
  }
  if (count > 0) out.push_back(letters[(bits << (6 - count)) & 63]);
  return out;
}

bool is_token_character(char c) noexcept {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

}  // namespace

Digest digest_of(std::string_view token) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

std::string to_hex(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const auto byte : digest) hex.append({digits[byte >> 4], digits[byte & 15]});
  return hex;
}

std::optional<Digest> parse_digest(std::string_view hex) noexcept {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const auto c = static_cast<unsigned char>(hex[i]);
    if (std::isxdigit(c) == 0) return std::nullopt;
    const auto value = std::isdigit(c) != 0 ? c - '0' : std::tolower(c) - 'a' + 10;
    digest[i / 2] = static_cast<std::uint8_t>(digest[i / 2] << 4 | value);
  }
  return digest;
}

Result<NewToken> create_token(std::string_view name, std::span<const Role> roles) {
  if (!valid_name(name)) {
    return Error{ErrorCode::invalid_argument, "name: 1 to 128 of A-Z a-z 0-9 . _ -, first a letter or digit", "name"};
  }
  if (roles.empty()) return Error{ErrorCode::invalid_argument, "role: at least one of " + role_names(), "role"};
  std::array<std::uint8_t, 32> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    return Error{ErrorCode::unavailable, "the system gives no random numbers", {}};
  }
  NewToken token;
  token.secret = std::string(token_prefix) + base64url(random);
  OPENSSL_cleanse(random.data(), random.size());
  token.file_line = std::string(name) + ":";
  for (std::size_t i = 0; i < roles.size(); ++i) token.file_line.append(i == 0 ? "" : ",").append(to_string(roles[i]));
  token.file_line.append(":").append(to_hex(digest_of(token.secret)));
  return token;
}

std::optional<std::string_view> bearer_token(std::string_view value) noexcept {
  constexpr std::string_view scheme = "bearer";
  const auto same = [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); };
  if (value.size() <= scheme.size() || !std::equal(scheme.begin(), scheme.end(), value.begin(), same))
    return std::nullopt;
  value.remove_prefix(scheme.size());
  const auto spaces = value.find_first_not_of(' ');
  if (spaces == 0 || spaces == std::string_view::npos) return std::nullopt;
  value.remove_prefix(spaces);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  if (value.empty() || value.size() > token_bytes_max || !std::all_of(value.begin(), value.end(), is_token_character))
    return std::nullopt;
  return value;
}

}  // namespace millrace::access
