#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <millrace/result.hpp>

#include "access/failure_limiter.hpp"
#include "access/token_file.hpp"
#include "base/clock.hpp"

namespace millrace::access {

/// Where a request came from, as far as the door cares.
struct Caller {
  std::string_view address = {};
  /// Loopback or a Unix socket: perhaps a proxy that many people come through. Their right tokens are accepted even
  /// while somebody among them guesses.
  bool is_local = false;
};

/// The door of a server that has a token file.
///
/// Threads: any. Ownership: refers to file and clock, which outlive it.
class Authenticator {
 public:
  Authenticator(const TokenFile& tokens, const Clock& clock, FailureLimits limits = FailureLimits())
      : tokens_(tokens), clock_(clock), limiter_(limits) {}

  /// Who holds `token`. Errors: unauthorized without a token or with an unknown one; overloaded, naming the seconds to
  /// wait, after too many unknown ones from this address.
  Result<Identity> operator()(std::optional<std::string_view> token, const Caller& caller);

  /// For metrics, since the start.
  std::uint64_t unknown_tokens() const noexcept { return unknown_; }
  std::uint64_t refused_unseen() const noexcept { return refused_; }

 private:
  const TokenFile& tokens_;
  const Clock& clock_;
  FailureLimiter limiter_;
  std::atomic<std::uint64_t> unknown_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace millrace::access
