#pragma once

/// Everything that most programs need: a client to submit tasks, a worker to run them. `testing.hpp` and `asio.hpp` are
/// apart.
#include <millrace/client.hpp>
#include <millrace/codec.hpp>
#include <millrace/connect.hpp>
#include <millrace/context.hpp>
#include <millrace/errors.hpp>
#include <millrace/json.hpp>
#include <millrace/options.hpp>
#include <millrace/payload.hpp>
#include <millrace/run.hpp>
#include <millrace/worker.hpp>
