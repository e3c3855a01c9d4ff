#pragma once

#include <boost/asio/io_context.hpp>

#include "backends/redis/address.hpp"

namespace millrace::redis {

/// Asks the Sentinels of `address` in turn for the primary of its group; the one that answered last is asked first the
/// next time. What it answers may be about to change, so the greeting should ask the server for its `ROLE` (F49).
///
/// Errors: unavailable, with the reason of each Sentinel. One that says nothing for half a second is passed over.
Finder sentinel_finder(boost::asio::io_context& context, Address address);

/// Refuses a server that is not a primary.
Greeting primary_greeting();

}  // namespace millrace::redis
