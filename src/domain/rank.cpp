#include "domain/rank.hpp"

#include "domain/saturating.hpp"

namespace millrace {

std::int64_t rank(Milliseconds ready_at_engine, int priority, Milliseconds aging) noexcept {
  return subtract_saturating(ready_at_engine, multiply_saturating(aging, priority)).count();
}

}  // namespace millrace
