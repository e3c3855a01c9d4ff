#pragma once

#include "tests/support/broker_under_test.hpp"

namespace millrace::support {

/// A broker seen through a gateway: REST over a loopback socket between the tests and `behind`. Time passes behind; a
/// reopening closes the server and serves again at another port, with a new client.
BrokerKind through_a_gateway(BrokerKind behind);

}  // namespace millrace::support
