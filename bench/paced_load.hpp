#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace millrace::bench {

/// An open load of one request after the other, from one thread: requests leave at fixed instants whatever the answers
/// do, each on a connection that is free; while none is, they wait and count on. Latency counts from the instant that
/// was meant, so that a stall of the server is not hidden by a client that waits for it ("coordinated omission").
struct PacedPlan {
  std::string host = {};
  std::string port = {};
  std::string target = {};
  std::string body = {};
  std::size_t rate = 10'000;  // requests per second
  std::size_t connections = 64;
  std::chrono::seconds duration{10};
};

struct PacedOutcome {
  std::vector<double> seconds = {};  // latency of each request, in the order of the answers
  std::size_t failed = 0;            // answered with another status than 202
  double took = 0;                   // seconds until the last answer
};

/// Runs the plan; throws std::runtime_error when a connection cannot be made or breaks.
PacedOutcome run_paced(const PacedPlan& plan);

}  // namespace millrace::bench
