#include "codec/token_sealer.hpp"

#include <cstring>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/assert.hpp"

namespace millrace {
namespace {

constexpr std::size_t raw_size = 33;  // 8 number, 8 fence, 16 tag, 1 version: a multiple of three
constexpr std::size_t text_size = raw_size / 3 * 4;
constexpr unsigned char token_version = 1;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<signed char, 256> make_values() {
  std::array<signed char, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<signed char>(i);
  return values;
}
constexpr auto values = make_values();

}  // namespace

void TokenSealer::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

TokenSealer::TokenSealer(const Secret& secret) : cipher_(EVP_CIPHER_CTX_new()) {
  MILLRACE_ASSERT(EVP_EncryptInit_ex(cipher_.get(), EVP_aes_128_ecb(), nullptr, secret.data(), nullptr) == 1);
  EVP_CIPHER_CTX_set_padding(cipher_.get(), 0);
}

TokenSealer::~TokenSealer() = default;

std::array<unsigned char, 16> TokenSealer::tag(const LeaseKey& lease) {
  unsigned char block[16];
  std::memcpy(block, &lease.seq, 8);
  std::memcpy(block + 8, &lease.fence, 8);
  std::array<unsigned char, 16> out{};
  int size = 0;
  MILLRACE_ASSERT(EVP_EncryptUpdate(cipher_.get(), out.data(), &size, block, sizeof block) == 1 && size == 16);
  return out;
}

LeaseToken TokenSealer::seal(const LeaseKey& lease) {
  unsigned char raw[raw_size];
  std::memcpy(raw, &lease.seq, 8);
  std::memcpy(raw + 8, &lease.fence, 8);
  const auto mark = tag(lease);
  std::memcpy(raw + 16, mark.data(), mark.size());
  raw[raw_size - 1] = token_version;
  std::string text(text_size, '\0');
  for (std::size_t i = 0; i < raw_size / 3; ++i) {
    const unsigned bits =
        static_cast<unsigned>(raw[3 * i]) << 16 | static_cast<unsigned>(raw[3 * i + 1]) << 8 | raw[3 * i + 2];
    for (std::size_t j = 0; j < 4; ++j) text[4 * i + j] = alphabet[bits >> (18 - 6 * j) & 63u];
  }
  return LeaseToken(std::move(text));
}

std::optional<LeaseKey> TokenSealer::open(std::string_view token) {
  if (token.size() != text_size) return std::nullopt;
  unsigned char raw[raw_size];
  for (std::size_t i = 0; i < raw_size / 3; ++i) {
    int bits = 0;
    int bad = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      // NOLINTNEXTLINE(bugprone-signed-char-misuse): a number, -1 for what is no letter of the alphabet
      const int value = values[static_cast<unsigned char>(token[4 * i + j])];
      bad |= value;
      bits = bits << 6 | (value & 63);
    }
    if (bad < 0) return std::nullopt;
    raw[3 * i] = static_cast<unsigned char>(bits >> 16);
    raw[3 * i + 1] = static_cast<unsigned char>(bits >> 8);
    raw[3 * i + 2] = static_cast<unsigned char>(bits);
  }
  if (raw[raw_size - 1] != token_version) return std::nullopt;
  LeaseKey lease;
  std::memcpy(&lease.seq, raw, 8);
  std::memcpy(&lease.fence, raw + 8, 8);
  const auto mark = tag(lease);
  if (CRYPTO_memcmp(mark.data(), raw + 16, mark.size()) != 0) return std::nullopt;
  return lease;
}

}  // namespace millrace
