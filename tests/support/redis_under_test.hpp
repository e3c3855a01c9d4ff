#pragma once

#include "tests/support/broker_under_test.hpp"

namespace millrace::support {

/// A broker over a real redis-server of its own, whose clock stands still and is moved by hand.
BrokerKind on_redis();

}  // namespace millrace::support
