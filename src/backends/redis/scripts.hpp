#pragma once

#include "backends/redis/script.hpp"

namespace millrace::redis {

// The scripts of scripts/*.lua; what they take and answer is said there. Those of a queue have common.lua before them.
// Those that only move tasks on go on when the server is short of memory, so that work can end (T57).

const Script& enqueue_script();
const Script& grant_script();
const Script& apply_script();
const Script& due_script();
const Script& reserve_script();
const Script& replace_script();
const Script& name_script();
const Script& watch_script();

}  // namespace millrace::redis
