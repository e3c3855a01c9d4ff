#include "server/confirmation.hpp"

#include <charconv>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/assert.hpp"

namespace millrace::server {
namespace {

template <class Number>
std::optional<Number> take_number(std::string_view& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data() + text.size() || *end != '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return value;
}

}  // namespace

Confirmations::Confirmations() { MILLRACE_ASSERT(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1); }

std::string Confirmations::sign(std::string_view subject, std::uint64_t matched, std::int64_t made_at) const {
  auto text = std::to_string(made_at) + "-" + std::to_string(matched) + "-";
  const auto signed_text = text + std::string(subject);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), mac.data(), &size);
  constexpr char digits[] = "0123456789abcdef";
  for (unsigned i = 0; i < size; ++i) text.append({digits[mac[i] >> 4], digits[mac[i] & 15]});
  return text;
}

std::string Confirmations::make(std::string_view subject, std::uint64_t matched, WallTime now) const {
  return sign(subject, matched, now.time_since_epoch().count());
}

std::optional<std::uint64_t> Confirmations::check(std::string_view token, std::string_view subject,
                                                  WallTime now) const {
  auto rest = token;
  const auto made_at = take_number<std::int64_t>(rest);
  const auto matched = made_at ? take_number<std::uint64_t>(rest) : std::nullopt;
  if (!matched) return std::nullopt;
  const auto expected = sign(subject, *matched, *made_at);
  if (expected.size() != token.size() || CRYPTO_memcmp(expected.data(), token.data(), token.size()) != 0)
    return std::nullopt;
  const auto age = now.time_since_epoch() - Milliseconds{*made_at};
  if (age < -lifetime || age > lifetime) return std::nullopt;
  return matched;
}

}  // namespace millrace::server
