#pragma once

#include "backends/redis/script.hpp"

namespace millrace::redis {

// The scripts of scripts/*.lua, each with common.lua before it; what they take and answer is said there. Those that
// only move tasks on go on when the server is short of memory, so that work can end (T57).

const Script& enqueue_script();
const Script& grant_script();
const Script& apply_script();
const Script& due_script();

}  // namespace millrace::redis
