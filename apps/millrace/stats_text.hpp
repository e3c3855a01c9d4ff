#pragma once

#include "broker/messages.hpp"
#include "terminal.hpp"

namespace millrace::app {

Table queue_table(const Stats& stats);
Table worker_table(const Stats& stats);
Table type_table(const Stats& stats);

}  // namespace millrace::app
