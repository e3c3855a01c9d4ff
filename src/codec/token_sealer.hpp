#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <millrace/names.hpp>

struct evp_cipher_ctx_st;

namespace millrace {

/// A lease, as a broker names it: the task's number and the fence of its grant.
struct LeaseKey {
  std::uint64_t seq = 0;
  std::uint64_t fence = 0;
  friend bool operator==(const LeaseKey&, const LeaseKey&) = default;
};

/// Makes and checks lease tokens: task number and fence, in base64url, with a 128-bit tag that only the holder of the
/// store's secret can make. The tag is AES-128 over the one block (number, fence), a pseudo-random function of a fixed
/// length, so a token is as hard to guess as a random nonce, and nothing has to be stored for it: a restart knows its
/// old tokens. Not thread-safe.
class TokenSealer {
 public:
  using Secret = std::array<unsigned char, 16>;

  explicit TokenSealer(const Secret& secret);
  ~TokenSealer();
  TokenSealer(const TokenSealer&) = delete;
  TokenSealer& operator=(const TokenSealer&) = delete;

  LeaseToken seal(const LeaseKey& lease);
  /// The lease of a token that was made here; nothing for any other text. Compares in constant time.
  std::optional<LeaseKey> open(std::string_view token);

 private:
  std::array<unsigned char, 16> tag(const LeaseKey& lease);
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> cipher_;
};

}  // namespace millrace
