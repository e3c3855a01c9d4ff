#pragma once

#include <optional>

#include <millrace/task.hpp>

namespace millrace {

/// How long a finished task is kept after it finished; nothing = for ever (a dead letter without `dead_letter_ttl`).
/// `final_status` must be final.
std::optional<Milliseconds> kept_for(Status final_status, Milliseconds result_ttl,
                                     Milliseconds dead_letter_ttl) noexcept;

/// Until when an id or an idempotency key is held: the later of the end of its window and the removal of the record.
/// While it is held and the record is gone, a reader is told `gone`, and the same submission is a duplicate.
///
/// accepted_at, removed_at  in one time, engine or wall; so is the answer.
Milliseconds held_until(Milliseconds accepted_at, Milliseconds idempotency_ttl, Milliseconds removed_at) noexcept;

}  // namespace millrace
