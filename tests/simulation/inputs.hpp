#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "broker/messages.hpp"

namespace millrace::simulation {

extern const std::vector<std::string> queue_names;
extern const std::vector<std::string> type_names;

/// A submission with some of everything; `wall` is the clock's time now.
TaskSpec some_task(Random& random, std::int64_t wall);

/// How an attempt ends, in every way that there is.
Settle some_end(Random& random, const Lease& lease);

}  // namespace millrace::simulation
