#include "domain/retention.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "domain/saturating.hpp"

namespace millrace {

std::optional<Milliseconds> kept_for(Status final_status, Milliseconds result_ttl,
                                     Milliseconds dead_letter_ttl) noexcept {
  MILLRACE_ASSERT(is_final(final_status));
  if (final_status != Status::failed) return result_ttl;
  return dead_letter_ttl > Milliseconds{0} ? std::optional(dead_letter_ttl) : std::nullopt;
}

Milliseconds held_until(Milliseconds accepted_at, Milliseconds idempotency_ttl, Milliseconds removed_at) noexcept {
  return std::max(add_saturating(accepted_at, idempotency_ttl), removed_at);
}

}  // namespace millrace
