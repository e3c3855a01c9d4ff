#pragma once

#include "tests/support/broker_under_test.hpp"

namespace millrace::support {

/// The embedded engine over a memory that forgets what was not synced, on a clock moved by hand. An unclean stop is a
/// loss of power.
BrokerKind engine_in_memory();

/// The same over RocksDB in a temporary directory. An unclean stop cuts the store off in the middle of what it does, so
/// that the end of the engine writes nothing more.
BrokerKind engine_on_rocksdb();

/// The engine in memory with so little room that finished and waiting tasks live on the store, and checkpoints never
/// cease.
BrokerKind engine_short_of_memory();

}  // namespace millrace::support
